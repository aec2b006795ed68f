import assert from "node:assert/strict";
import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { StoredContext } from "../../../provider/remote-image/context-store";
import { contextTar, tarPieces } from "../../../provider/remote-image/context-tar";
import { readContext } from "../../../provider/remote-image/read-context";
import { FROM_FOLDER } from "../../../provider/remote-image/tree-script";
import { buffer } from "node:stream/consumers";
import { localCommandsEnded, localSession } from "../../support/local-session";
import { storeContext } from "../../support/stored-context";
import { TemporaryFolder } from "../../support/temporary-folder";

/** What a builder sees of each entry but for the times of folders, which no builder goes by. */
const LOOK = `cd "$1" && find . -type d -printf '%p %m %y\\n' -o -type f -printf '%p %m %y %s %T@ ' -exec sha256sum {} + -o -printf '%p %y %l\\n'`;

describe("FROM_FOLDER", () => {
  let home: TemporaryFolder;
  let folder: TemporaryFolder;
  beforeEach(() => {
    home = new TemporaryFolder();
    folder = new TemporaryFolder().file("Dockerfile", "FROM scratch\n").file("a/0", "").link("a/link", "b");
    for (let at = 1; at < 60; at++) folder.file(`a/${at}`, `file ${at}\n`.repeat(at * 3));
    folder.file("b/c/d", "deep").file("b/empty", "");
  });
  afterEach(async () => {
    await localCommandsEnded();
    home.remove();
    folder.remove();
  });

  const place = (): string => path.join(home.path, ".cache/slipway/context");
  const kept = (): string => path.join(place(), "tree.name");
  const written = (name: string): bigint =>
    statSync(path.join(kept(), "files", name), { bigint: true }).ctimeNs;

  const tarOf = async () => {
    const context = await readContext({ folder: folder.path, dockerfile: "Dockerfile", wall: Date.now });
    return tarPieces(context, context.digests);
  };
  async function stored(): Promise<StoredContext> {
    const found = await storeContext(localSession(home.path).session, await tarOf(), home.path);
    assert.ok(found);
    return found;
  }
  /** Runs a script in the builder's place, which gets the builder's arguments. */
  async function build(script: string, of?: StoredContext): Promise<SpawnSyncReturns<string>> {
    const { store, book } = of ?? (await stored());
    const builder = ["/bin/sh", "-c", script, "builder"];
    const args = ["-c", FROM_FOLDER, "build", store, book, "name", "Dockerfile", ...builder];
    const env = { PATH: process.env.PATH, LC_ALL: "C" };
    return spawnSync("/bin/sh", args, { encoding: "utf8", env });
  }
  /** What a builder sees in a run, sorted. */
  async function seen(look = LOOK): Promise<string> {
    const { stdout, stderr, status } = await build(`shift; ${look}`);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    return stdout.split("\n").sort().join("\n");
  }
  /** The same of a folder that was made of the whole tar. */
  async function expected(): Promise<string> {
    const whole = new TemporaryFolder();
    try {
      execFileSync("tar", ["-xpf", "-", "-C", whole.path], {
        input: await buffer(contextTar(await tarOf())),
      });
      const out = execFileSync("/bin/sh", ["-c", LOOK, "look", whole.path], { encoding: "utf8" });
      return out.split("\n").sort().join("\n");
    } finally {
      whole.remove();
    }
  }

  it("must make what the tar holds, and keep it for the next run", async () => {
    assert.equal(await seen(), await expected());
    const before = written("a/7");
    assert.equal(await seen(), await expected());
    assert.equal(written("a/7"), before);
    assert.deepEqual(readdirSync(place()).sort(), ["objects", "tidied", "tree.name"]);
    assert.equal(statSync(kept()).mode & 0o777, 0o700);
  });

  const CHANGES: Readonly<Record<string, (at: string) => void>> = {
    "another content": (at) => writeFileSync(path.join(at, "a/7"), "another line\n"),
    "another content of the same length": (at) => writeFileSync(path.join(at, "b/c/d"), "deeq"),
    "a new file": (at) => writeFileSync(path.join(at, "a/new"), "new"),
    "a file gone": (at) => rmSync(path.join(at, "a/9")),
    "an empty file gone": (at) => rmSync(path.join(at, "b/empty")),
    "a file renamed": (at) => renameSync(path.join(at, "a/11"), path.join(at, "a/eleven")),
    "a folder gone": (at) => rmSync(path.join(at, "b"), { recursive: true }),
    "a folder renamed": (at) => renameSync(path.join(at, "b"), path.join(at, "z")),
    "another mode": (at) => chmodSync(path.join(at, "a/13"), 0o600),
    "a folder in place of a file": (at) => {
      rmSync(path.join(at, "a/15"));
      mkdirSync(path.join(at, "a/15"));
      writeFileSync(path.join(at, "a/15/x"), "x");
    },
    "a file in place of a folder": (at) => {
      rmSync(path.join(at, "b/c"), { recursive: true });
      writeFileSync(path.join(at, "b/c"), "c");
    },
    "a file in place of a link": (at) => {
      rmSync(path.join(at, "a/link"));
      writeFileSync(path.join(at, "a/link"), "no link");
    },
    "a name that tar writes in another way": (at) => {
      writeFileSync(path.join(at, "a/back\\slash\nfeed ü"), "odd");
    },
    "all at once": (at) => {
      for (let n = 1; n < 60; n += 2) writeFileSync(path.join(at, `a/${n}`), `${n}`.repeat(n * 40));
      for (let n = 2; n < 60; n += 6) rmSync(path.join(at, `a/${n}`));
    },
  };
  for (const [what, change] of Object.entries(CHANGES)) {
    it(`must show a builder what the tar holds after ${what}, and before it again`, async () => {
      const first = await seen();
      change(folder.path);
      assert.equal(await seen(), await expected());
      const before = written("a/22");
      const odd = path.join(folder.path, "a/back\\slash\nfeed ü");
      rmSync(odd, { force: true });
      assert.equal(await seen(), await expected());
      assert.notEqual(first, "");
      if (!what.startsWith("a name that")) assert.equal(written("a/22"), before);
    });
  }

  it("must write only what changed", async () => {
    await seen();
    const [same, changed] = [written("a/20"), written("a/7")];
    folder.file("a/7", "another line\n");
    assert.equal(await seen(), await expected());
    assert.equal(written("a/20"), same);
    assert.notEqual(written("a/7"), changed);
  });

  const TAMPERED: Readonly<Record<string, () => void>> = {
    "wrote into": () => {
      const file = path.join(kept(), "files/a/7");
      const { mtimeMs, atimeMs, size } = statSync(file);
      writeFileSync(file, "x".repeat(size));
      utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
    },
    "took a file of": () => rmSync(path.join(kept(), "files/a/7")),
    "took the pairs of": () => rmSync(path.join(kept(), "pairs")),
    "was cut off in": () => rmSync(path.join(kept(), "seal")),
  };
  for (const [what, tamper] of Object.entries(TAMPERED)) {
    it(`must make it anew when somebody ${what} what was kept`, async () => {
      await seen();
      tamper();
      folder.file("a/9", "another line\n");
      assert.equal(await seen(), await expected());
    });
  }

  it("must make it anew when the store has dropped what the kept one was made of", async () => {
    await seen();
    folder.file("a/7", "another line\n");
    await stored();
    const old = readdirSync(path.join(place(), "objects"));
    folder.file("a/9", "one more\n");
    for (const name of old) rmSync(path.join(place(), "objects", name));
    assert.equal(await seen(), await expected());
  });

  it("must write no file of a piece whose bytes were lost with the power", async () => {
    await seen();
    folder.file("a/7", "short\n");
    const piece = (await tarOf()).find((each) => each.kind === "content" && each.file.path === "a/7");
    const there = await stored();
    writeFileSync(path.join(place(), "objects", piece?.digest ?? ""), "");
    assert.equal((await build('echo "$2"', there)).stdout, "-\n");
    assert.deepEqual(readdirSync(place()).sort(), ["objects", "tidied"]);
  });

  it("must give the tar to a builder beside one that has the folder, and leave that one alone", async () => {
    mkdirSync(path.join(place(), "incoming.name"), { recursive: true });
    assert.match((await build('echo "$*"; tar -t')).stdout, /^--file=Dockerfile -\n.*\na\/\n/s);
    assert.deepEqual(readdirSync(place()).sort(), ["incoming.name", "objects", "tidied"]);
  });

  it("must pass the builder's exit code on, and keep the folder all the same", async () => {
    assert.equal((await build("exit 7")).status, 7);
    assert.deepEqual(readdirSync(place()).sort(), ["objects", "tidied", "tree.name"]);
  });
});
