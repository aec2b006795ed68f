import assert from "node:assert/strict";
import fc from "fast-check";
import { quoteAll } from "../../provider/host/command/command";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { addAccount, installOn } from "../lab/lab-account";
import { type LabConnection, type LabHost, startLabHost } from "../lab/lab-host";
import { borrower } from "../support/borrow";

const COUNT = 10_000;
const SEED = Number(process.env.SLIPWAY_FUZZ_SEED ?? 20_261_121);
/** So many bytes of arguments go into one command; most take one to five in the line, a quote twenty. */
const BATCH_BYTES = 10_000;

/** What shells stumble over, in pieces. */
const PIECES = [
  ...Array.from("'\"`$\\!^~*?[]{}()<>|&;#%=@:,+- \t\n\r/"),
  ...[
    "$(id)",
    "`id`",
    "${HOME}",
    "$HOME",
    "\\n",
    "\\0101",
    "\\c",
    "%s",
    "%b",
    "&&",
    "||",
    ">>",
    "<<EOF",
    "'\\''",
  ],
  ...[
    "-n",
    "-e",
    "--",
    "--help",
    "~root",
    "!!",
    "!-1",
    "^a^b",
    "a=b",
    "EOF\n",
    "\u0001",
    "\u0007",
    "\u001b[31m",
    "\u007f",
  ],
  ...[
    "\u0085",
    "\u00a0",
    "\u2028",
    "\ufeff",
    "\ufffd",
    "ü",
    "日本",
    "\u{1f600}",
    "e\u0301",
    "\u202e",
    "word",
    "slipway-",
  ],
];

const hostile = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((parts) => parts.join("")),
  },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
      .map((units) => String.fromCharCode(...units)),
  },
);

/** As an argument cannot be: with a NUL, or no Unicode text. */
const isImpossible = (text: string): boolean => text.includes("\0") || /\p{Surrogate}/u.test(text);

/** Words together in commands of BATCH_BYTES; one that is longer stands alone. */
function batches(words: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [[]];
  let size = 0;
  for (const word of words) {
    size += Buffer.byteLength(word) + 3;
    if (size > BATCH_BYTES) {
      all.push([]);
      size = Buffer.byteLength(word) + 3;
    }
    all.at(-1)?.push(word);
  }
  return all;
}

/** The words that a command printed, each ended by a NUL. */
const wordsIn = (output: string): readonly string[] => output.split("\0").slice(0, -1);

describe(`quoting, with ${COUNT} hostile strings (seed ${SEED})`, function () {
  this.timeout(180_000);
  let host: LabHost;
  let possible: readonly string[];
  let impossible: readonly string[];

  before(async () => {
    const long = ["x".repeat(12_000), "'".repeat(6_000), "\n!".repeat(4_000), "ü\\".repeat(3_000)];
    const words = [...fc.sample(hostile, { seed: SEED, numRuns: COUNT - long.length }), ...long];
    possible = words.filter((word) => !isImpossible(word));
    impossible = words.filter(isImpossible);
    assert.ok(
      possible.length > 8_000 && impossible.length > 100,
      `${possible.length} and ${impossible.length}`,
    );
    host = await startLabHost({ suite: "bookworm" });
    await installOn(host, ["fish", "tcsh", "zsh", "busybox"]);
    await host.must(["ln", "-s", "/bin/busybox", "/usr/local/bin/sh"]);
  });
  after(() => host.remove());

  const mustComeBack = (got: readonly string[], sent: readonly string[]): void => {
    const wrong = sent.findIndex((word, index) => word !== got[index]);
    if (wrong >= 0) assert.fail(`sent ${JSON.stringify(sent[wrong])}, got ${JSON.stringify(got[wrong])}`);
    assert.equal(got.length, sent.length);
  };

  for (const shell of [["sh"], ["dash"], ["bash"], ["busybox", "sh"], ["zsh"]]) {
    it(`must come back byte for byte from ${shell.join(" ")}`, async () => {
      const text = batches(possible).map((words) => `printf '%s\\0' ${quoteAll(["", ...words])}\n`);
      const printed = await host.must([...shell, "-c", 'eval "$(cat)"'], { input: text.join("") });
      mustComeBack(
        wordsIn(printed),
        batches(possible).flatMap((words) => ["", ...words]),
      );
    });
  }

  describe("through a login", () => {
    afterEach(closeConnections);
    let accounts = 0;
    const login = (shell: string, groups: readonly string[] = []): Promise<LabConnection> =>
      addAccount(host, { name: `fuzz${String((accounts += 1))}`, shell, groups });
    const throughAll = (
      connection: LabConnection,
      send: (session: HostSession, words: readonly string[]) => Promise<string>,
    ): Promise<void> =>
      withHost(connection, borrower().options, async (session) => {
        const sent = batches(possible);
        const answers = await Promise.all(sent.map((words) => send(session, words)));
        for (const [index, words] of sent.entries()) mustComeBack(wordsIn(answers[index] ?? ""), words);
      });

    for (const shell of [
      "/bin/dash",
      "/bin/bash",
      "/usr/local/bin/sh",
      "/usr/bin/fish",
      "/bin/csh",
      "/bin/zsh",
    ]) {
      it(`must come back byte for byte with the login shell ${shell}`, async () => {
        await throughAll(await login(shell), (session, words) => session.run(["printf", "%s\\0", ...words]));
      });
    }

    it("must come back byte for byte through sudo", async () => {
      const connection = await login("/usr/bin/fish");
      const rule = `${connection.user} ALL=(ALL:ALL) NOPASSWD: ALL\n`;
      await host.must(["sh", "-c", "umask 337; cat >/etc/sudoers.d/fuzz"], { input: rule });
      await throughAll(connection, (session, words) =>
        session.run(["printf", "%s\\0", ...words], { sudo: true }),
      );
    });

    it("must come back byte for byte as a script's arguments, and in its text", async () => {
      await throughAll(await login("/bin/csh"), async (session, words) => {
        const asArguments = await session.script(`printf '%s\\0' "$@"`, words);
        const inText = await session.script(`printf '%s\\0' ${quoteAll(words)}`);
        assert.deepEqual(inText, asArguments);
        return asArguments.stdout;
      });
    });

    it("must come back byte for byte from the environment", async () => {
      await throughAll(await login("/usr/bin/fish"), async (session, words) => {
        const env = Object.fromEntries(words.map((word, index) => [`WORD_${index}`, word]));
        const names = words.map((_, index) => `"$WORD_${index}"`).join(" ");
        return session.run(["sh", "-c", `printf '%s\\0' ${names}`], { env });
      });
    });

    it("must refuse what no argument can be, and what is too long, before anything runs", async () => {
      await withHost(await login("/bin/dash"), borrower().options, async (session) => {
        for (const word of impossible) {
          await assert.rejects(
            session.run(["printf", word]),
            /printf.*: a command argument cannot hold (a NUL|half)/s,
          );
        }
        await assert.rejects(
          session.run(["printf", "x".repeat(140_000)]),
          /too long: 14\d{4} bytes.*standard input/,
        );
        await assert.rejects(session.run(["printf", "'".repeat(40_000)]), /too long/);
        assert.equal(await session.run(["printf", "on"]), "on");
      });
    });
  });
});
