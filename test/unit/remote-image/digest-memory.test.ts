import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { contextTar, tarBytes, tarPieces } from "../../../provider/remote-image/context-tar";
import { type ReadContext, readContext } from "../../../provider/remote-image/read-context";
import { TemporaryFolder } from "../../support/temporary-folder";

const DAY_MS = 24 * 3_600_000;
/** What one look at a gigabyte may take besides what was there. */
const FLAT_BYTES = 128 << 20;

describe("memory of a context", () => {
  let folder: TemporaryFolder;
  let memory: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder().file("Dockerfile", "FROM scratch\n");
    for (let at = 0; at < 120; at++) folder.file(`f${at}`, `file ${at}`);
    memory = new TemporaryFolder();
  });
  afterEach(() => {
    folder.remove();
    memory.remove();
  });

  /** Reads as somebody would `laterMs` from now. */
  const read = (laterMs = 0): Promise<ReadContext> =>
    readContext({
      folder: folder.path,
      dockerfile: "Dockerfile",
      wall: () => Date.now() + laterMs,
      memoryFolder: memory.path,
    });
  const remembered = (): readonly (readonly string[])[] => {
    const [name = ""] = readdirSync(memory.path);
    return (JSON.parse(readFileSync(path.join(memory.path, name), "utf8")) as { files: string[][] }).files;
  };

  it("must see a change that kept size and times of before", async () => {
    const first = await read(DAY_MS);
    const file = path.join(folder.path, "f7");
    const { atime, mtime } = statSync(file);
    writeFileSync(file, "FILE 7");
    utimesSync(file, atime, mtime);
    assert.notEqual((await read(DAY_MS)).hash, first.hash);
  });

  it("must not remember what was written a moment before it was read", async () => {
    await read();
    assert.equal(remembered().length, 0);
  });

  it("must read a file that was remembered no more, and know the others", async () => {
    const first = await read(DAY_MS);
    const [name = ""] = readdirSync(memory.path);
    const file = path.join(memory.path, name);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const files = remembered();
    assert.equal(files.length, 121);
    // a digest that only the memory can have
    const forged = files.map((known) => (known[0] === "f7" ? [known[0], known[1], "0".repeat(64)] : known));
    writeFileSync(file, JSON.stringify({ version: 1, files: forged }));
    assert.equal((await read(DAY_MS)).digests.get("f7"), "0".repeat(64));
    folder.file("f7", "another one");
    assert.notEqual((await read(DAY_MS)).digests.get("f7"), "0".repeat(64));
    writeFileSync(file, "{ half of it");
    folder.file("f7", "file 7");
    assert.equal((await read(DAY_MS)).hash, first.hash);
  });

  it("must do without a folder of its own", async () => {
    const { hash } = await read();
    const nowhere = {
      folder: folder.path,
      dockerfile: "Dockerfile",
      wall: Date.now,
      memoryFolder: "/dev/null/x",
    };
    assert.equal((await readContext(nowhere)).hash, hash);
  });

  it("must hash and send a gigabyte in flat memory", async () => {
    const file = path.join(folder.path, "big");
    closeSync(openSync(file, "w"));
    truncateSync(file, 1 << 30);
    const before = process.memoryUsage().rss;
    let most = 0;
    const look = (): void => {
      most = Math.max(most, process.memoryUsage().rss - before);
    };
    const looking = setInterval(look, 20);
    try {
      const context = await read();
      const pieces = tarPieces(context, context.digests);
      let bytes = 0;
      let chunks = 0;
      for await (const chunk of contextTar(pieces)) {
        bytes += (chunk as Buffer).length;
        if (++chunks % 256 === 0) look();
      }
      assert.equal(bytes, tarBytes(pieces));
      look();
      assert.ok(most < FLAT_BYTES, `${Math.round(most / 1e6)} MB`);
    } finally {
      clearInterval(looking);
    }
  }).timeout(120_000);
});
