import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { isWhole, type StoredContext } from "../../../provider/remote-image/context-store";
import { contextTar, type TarPiece, tarBytes, tarPieces } from "../../../provider/remote-image/context-tar";
import { readContext } from "../../../provider/remote-image/read-context";
import { FROM_STORE } from "../../../provider/remote-image/store-scripts";
import { type CutInput, localCommandsEnded, localSession } from "../../support/local-session";
import { storeContext, storeOptions } from "../../support/stored-context";
import { TemporaryFolder } from "../../support/temporary-folder";

const HOUR_MS = 3_600_000;

describe("context store", () => {
  let home: TemporaryFolder;
  let folder: TemporaryFolder;
  beforeEach(() => {
    home = new TemporaryFolder();
    folder = new TemporaryFolder().file("Dockerfile", "FROM scratch\n").file("a/0", "").link("a/link", "b");
    for (let at = 1; at < 300; at++) folder.file(`a/${at}`, `file ${at}\n`.repeat(at));
    folder.file("big", randomBytes(1_500_000).toString("base64"));
  });
  afterEach(async () => {
    await localCommandsEnded();
    home.remove();
    folder.remove();
  });

  const piecesOf = async (of = folder): Promise<readonly TarPiece[]> => {
    const context = await readContext({ folder: of.path, dockerfile: "Dockerfile", wall: Date.now });
    return tarPieces(context, context.digests);
  };
  const store = async (
    cut?: CutInput,
    pieces?: readonly TarPiece[],
  ): Promise<{ readonly stored: StoredContext; readonly bytes: number; readonly execs: number }> => {
    const { session, calls } = localSession(home.path, cut);
    const stored = await storeContext(session, pieces ?? (await piecesOf()), home.path);
    assert.ok(stored);
    return { stored, bytes: calls.reduce((sum, call) => sum + call.bytes, 0), execs: calls.length };
  };
  const whole = async (stored: StoredContext): Promise<boolean> =>
    isWhole(localSession(home.path).session, stored, storeOptions(home.path));
  const built = ({ store: from, book }: StoredContext): Buffer =>
    execFileSync("/bin/sh", ["-c", FROM_STORE, "build", from, book, "cat"], { maxBuffer: 1 << 28 });
  const direct = async (): Promise<Buffer> => buffer(contextTar(await piecesOf()));
  const objects = (): string => path.join(home.path, ".cache/slipway/context/objects");
  const age = (name: string, ms: number): void => {
    const then = (Date.now() - ms) / 1_000;
    utimesSync(path.join(objects(), name), then, then);
  };

  it("must make the very tar that would have been sent", async () => {
    const { stored } = await store();
    const tar = await direct();
    assert.ok(built(stored).equals(tar));
    assert.equal(tar.length, tarBytes(await piecesOf()));
    assert.equal(statSync(path.dirname(objects())).mode & 0o777, 0o700);
  });

  it("must send kilobytes after a change of one line, and nothing but a question when nothing changed", async () => {
    const first = await store();
    assert.ok(first.bytes > 1_000_000, String(first.bytes));
    const same = await store();
    assert.equal(same.execs, 1);
    assert.ok(same.bytes < 2_000, String(same.bytes));
    folder.file("a/7", "another line\n");
    const changed = await store();
    assert.ok(changed.bytes < 16_000, String(changed.bytes));
    assert.ok(built(changed.stored).equals(await direct()));
  });

  it("must send a small change along with the question, and what the host lost all the same", async () => {
    await store();
    folder.file("a/7", "another line\n");
    const changed = await store();
    assert.equal(changed.execs, 1);
    assert.ok(built(changed.stored).equals(await direct()));
    for (const name of readdirSync(objects())) rmSync(path.join(objects(), name));
    const again = await store();
    assert.ok(again.bytes > 1_000_000, String(again.bytes));
    assert.ok(built(again.stored).equals(await direct()));
  });

  it("must not send a file again that was renamed, or that another context has", async () => {
    await store();
    renameSync(path.join(folder.path, "big"), path.join(folder.path, "large"));
    const renamed = await store();
    assert.ok(renamed.bytes < 16_000, String(renamed.bytes));
    const other = new TemporaryFolder().file("Dockerfile", "FROM other\n");
    try {
      other.file("x/y", readFileSync(path.join(folder.path, "large"), "utf8"));
      const { bytes } = await store(undefined, await piecesOf(other));
      assert.ok(bytes < 4_000, String(bytes));
    } finally {
      other.remove();
    }
  });

  it("must compress what shrinks, and nothing else", async () => {
    rmSync(path.join(folder.path, "big"));
    folder.file("text", "the same line again and again\n".repeat(100_000));
    const { bytes } = await store();
    assert.ok(bytes < 300_000, String(bytes));
    const { session, calls } = localSession(home.path);
    writeFileSync(path.join(folder.path, "noise"), randomBytes(500_000));
    await storeContext(session, await piecesOf(), home.path);
    assert.ok(calls.some(({ argv }) => argv.includes("plain")));
  });

  for (const [when, cut] of [
    ["in the question", [0, 30]],
    ["in the recipes", [1, 200]],
    ["in the files", [2, 1_500_000]],
  ] as const) {
    it(`must keep nothing that is not whole when the line drops ${when}, and go on from what came`, async () => {
      const [which, most] = cut;
      let call = 0;
      await assert.rejects(
        store(() => (call++ === which ? most : undefined)),
        { code: "connection-lost" },
      );
      for (const name of existsSync(objects()) ? readdirSync(objects()) : []) {
        const [digest] = execFileSync("sha256sum", [path.join(objects(), name)])
          .toString()
          .split(" ");
        assert.equal(digest, name);
      }
      const { stored } = await store();
      assert.ok(built(stored).equals(await direct()));
      assert.ok(await whole(stored));
    });
  }

  it("must let any number of runs store at once", async () => {
    const pieces = await piecesOf();
    const runs = await Promise.all([
      store(undefined, pieces),
      store(undefined, pieces),
      store(undefined, pieces),
    ]);
    const tar = await direct();
    for (const { stored } of runs) assert.ok(built(stored).equals(tar));
  });

  it("must give a builder no tar that ends well when a piece is gone, and mend that", async () => {
    const { stored } = await store();
    const tar = await direct();
    const last = (await piecesOf()).at(-1)?.digest ?? "";
    rmSync(path.join(objects(), last));
    const broken = built(stored);
    assert.ok(broken.subarray(-1024).some((byte) => byte !== 0));
    assert.equal(await whole(stored), false);
    const mended = await store();
    assert.ok(built(mended.stored).equals(tar));
  });

  it("must find and replace a piece whose bytes were lost with the power", async () => {
    const { stored } = await store();
    const { digest = "" } = (await piecesOf()).find(({ kind }) => kind === "content") ?? {};
    writeFileSync(path.join(objects(), digest), "");
    assert.equal(await whole(stored), false);
    assert.ok(!readdirSync(objects()).includes(digest));
    assert.ok(built((await store()).stored).equals(await direct()));
  });

  it("must send a piece or a recipe again of which the power took all bytes, without being told to look", async () => {
    await store();
    for (const name of readdirSync(objects())) writeFileSync(path.join(objects(), name), "");
    const { stored } = await store();
    assert.ok(built(stored).equals(await direct()));
  });

  it("must drop what nobody wanted for two weeks, and keep what somebody wants", async () => {
    await store();
    const names = readdirSync(objects());
    for (const name of names) age(name, 15 * 24 * HOUR_MS);
    age("../tidied", 2 * HOUR_MS);
    folder.file("a/7", "another line\n");
    const old = path.join(path.dirname(objects()), "incoming.left");
    mkdirSync(old);
    utimesSync(old, 1, 1);
    const { stored } = await store();
    assert.ok(built(stored).equals(await direct()));
    assert.ok(!names.every((name) => readdirSync(objects()).includes(name)), "the old line is gone");
    assert.ok(!readdirSync(path.dirname(objects())).includes("incoming.left"));
  });

  it("must say what is missing in numbers when there is no space, and keep what came", async () => {
    const { session } = localSession(home.path);
    const full: typeof session = {
      ...session,
      exec: (argv, options) =>
        session.exec(
          argv.map((word, at) => (at === 8 && argv[9] === "keep" ? "999999999999" : word)),
          options,
        ),
    };
    await assert.rejects(storeContext(full, await piecesOf(), home.path), {
      code: "image-build-failed",
      message:
        /^sending the build context on root@h:22: \d.* are to come, and \d.* are free there\. Nothing was built; /,
    });
    assert.ok(built((await store()).stored).equals(await direct()));
  });

  it("must do without a store where there is no place for one", async () => {
    const { session } = localSession("/dev/null");
    assert.equal(await storeContext(session, await piecesOf(), home.path), undefined, home.path);
  });

  it("must name the file that changed while it was sent", async () => {
    const pieces = await piecesOf();
    folder.file("a/200", "changed");
    await assert.rejects(store(undefined, pieces), {
      code: "context-changed",
      message: /a\/200 changed while it was read/,
    });
  });
});
