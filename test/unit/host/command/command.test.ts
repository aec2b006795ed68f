import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  quote,
  quoteAll,
  remoteLine,
  scriptCommand,
  writeFileCommand,
} from "../../../../provider/host/command/command";
import { TemporaryFolder } from "../../../support/temporary-folder";

const NASTY = [
  "",
  " ",
  "plain",
  "it's",
  `"double"`,
  "$HOME `id` $(id)",
  "back\\slash \\n \\0101 \\",
  "line\nfeed\n",
  "!history !! ^x^y",
  "* ? [a] {b,c} ~",
  "a=b",
  "; & | < > ( ) #",
  "%s %% %b",
  "ümläut 日本 \u{1f600}",
  "-n",
  "\t tab \r return",
];
const SHELLS = [
  "/bin/sh",
  "/bin/dash",
  "/bin/bash",
  "/bin/zsh",
  "/usr/bin/fish",
  "/bin/tcsh",
  "/bin/busybox",
].filter(existsSync);

/** What the login shell makes of a line, as sshd would start it. */
function login(shell: string, line: string, input: string | Buffer = "") {
  const args = shell.endsWith("busybox") ? ["sh", "-c", line] : ["-c", line];
  const { stdout, stderr, status } = spawnSync(shell, args, { input });
  return { stdout: stdout.toString(), stderr: stderr.toString(), status };
}

describe("quote", () => {
  it("must leave plain words alone", () => {
    assert.equal(quoteAll(["ls", "-l", "/etc/os-release"]), "ls -l /etc/os-release");
  });

  it("must quote everything else", () => {
    assert.equal(quote("it's"), `'it'\\''s'`);
    assert.equal(quote(""), "''");
  });

  it("must refuse what no argument can hold", () => {
    assert.throws(() => quote("a\0b"), TypeError);
  });
});

describe("remoteLine", () => {
  for (const shell of SHELLS) {
    it(`must hand every argument over unchanged through ${shell}`, () => {
      const line = remoteLine({ argv: ["printf", "<%s>", ...NASTY], marker: "MARK" });
      const { stdout, stderr, status } = login(shell, line);
      assert.equal(stdout, `MARK${NASTY.map((word) => `<${word}>`).join("")}`);
      assert.equal(stderr, "MARK");
      assert.equal(status, 0);
    });

    it(`must set the environment through ${shell}`, () => {
      const env = { ODD: NASTY.join("|") };
      const line = remoteLine({ argv: ["sh", "-c", `printf %s "$ODD/$LC_ALL"`], env, marker: "M" });
      assert.equal(login(shell, line).stdout, `M${NASTY.join("|")}/C`);
    });
  }

  it("must take a name with an equals sign for a command, not for an assignment", () => {
    const { status } = login("/bin/sh", remoteLine({ argv: ["a=b"], marker: "M" }));
    assert.equal(status, 127);
  });

  it("must hold only characters that every login shell reads alike", () => {
    const line = remoteLine({ argv: ["x", ...NASTY], marker: "M" });
    assert.match(line, /^[\x20-\x7e]+$/);
    const [, encoded = ""] = /^exec \/bin\/sh -c 'eval "\$\(printf %b "\$0"\)"' '(.*)'$/.exec(line) ?? [];
    assert.notEqual(encoded, "");
    assert.doesNotMatch(encoded, /['!^`]|\\(?!0[0-7]{3})/);
  });

  it("must cost no further process when all shells read the words alike", () => {
    const line = remoteLine({ argv: ["ls", "-l", 'a "b" $c *'], marker: "<M>" });
    assert.match(line, /^exec \/bin\/sh -c '[^']*' sh '<M>' ls -l 'a "b" \$c \*'$/);
    assert.doesNotMatch(line, /\$\(/);
  });

  it("must refuse what is longer than Linux takes, and half of a surrogate pair", () => {
    const argv = ["printf", "%s", "x".repeat(130_000)];
    assert.equal(login("/bin/sh", remoteLine({ argv, marker: "" })).stdout.length, 130_000);
    assert.throws(
      () => remoteLine({ argv: [...argv, "y".repeat(2_000)], marker: "" }),
      /too long: \d+ bytes/,
    );
    assert.throws(() => remoteLine({ argv: ["echo", "a\ud800b"], marker: "" }), /surrogate/);
    assert.throws(() => quote("\udfff"), TypeError);
  });

  it("must refuse an environment name that is code", () => {
    assert.throws(() => remoteLine({ argv: ["x"], env: { "A;id": "1" }, marker: "M" }), TypeError);
  });

  it("must ask sudo without a terminal and with our prompt", () => {
    const sudo = { kind: "password", prompt: "<P>" } as const;
    const line = remoteLine({ argv: ["id", "-un"], marker: "M", sudo });
    assert.ok(line.includes(" sudo -S -p '<P>' -- /bin/sh -c "), line);
  });
});

describe("scriptCommand", () => {
  const run = (text: string, args: readonly string[], cutOff = 0, eaten = 0) => {
    const { argv, stdin } = scriptCommand(text, args, "end0");
    const line = remoteLine({ argv, marker: "" });
    return login("/bin/sh", line, stdin.slice(eaten, stdin.length - cutOff));
  };

  it("must give the script its arguments and an empty standard input", () => {
    const { stdout, status } = run(`printf '[%s]' "$@"; cat; exit 4`, NASTY);
    assert.equal(stdout, NASTY.map((word) => `[${word}]`).join(""));
    assert.equal(status, 4);
  });

  it("must not run a script that was cut off", () => {
    const { stdout, status } = run("echo ran", [], 1);
    assert.equal(stdout, "");
    assert.equal(status, 125);
  });

  it("must not run a script whose start a login file has read", () => {
    for (const eaten of [1, "# end0\n".length, "# end0\necho one\n".length]) {
      const { stdout, status } = run("echo one\necho two", [], 0, eaten);
      assert.equal(stdout, "");
      assert.equal(status, 125);
    }
  });
});

describe("writeFileCommand", () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  it("must write the file with its mode and leave nothing else", () => {
    const path = join(folder.path, "a 'b'");
    const argv = writeFileCommand(path, "n0", 0o640, 5);
    assert.equal(login("/bin/sh", remoteLine({ argv, marker: "" }), "hello").status, 0);
    assert.equal(readFileSync(path, "utf8"), "hello");
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder.path), ["a 'b'"]);
  });

  it("must put nothing into a folder that stands where the file belongs, and say so", () => {
    const path = join(folder.path, "d");
    for (const make of [() => mkdirSync(path), () => symlinkSync(folder.path, path)]) {
      make();
      const argv = writeFileCommand(path, "n0", 0o644, 5);
      const { status, stderr } = login("/bin/sh", remoteLine({ argv, marker: "" }), "hello");
      assert.equal(status, 1);
      assert.match(stderr, /\/d is a folder/);
      assert.deepEqual(readdirSync(folder.path), ["d"]);
      assert.ok(!readdirSync(path).some((name) => name !== "d"));
      rmSync(path, { recursive: true });
    }
  });

  it("must rename nothing when fewer bytes came than were sent", () => {
    const argv = writeFileCommand(join(folder.path, "f"), "n0", 0o644, 6);
    assert.equal(login("/bin/sh", remoteLine({ argv, marker: "" }), "hello").status, 125);
    assert.deepEqual(readdirSync(folder.path), []);
  });
});
