import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { deflateSync } from "node:zlib";
import { applyDelta } from "../../../../provider/remote-image/git/delta";
import { readTree, treeOf } from "../../../../provider/remote-image/git/git-object";
import { Pack } from "../../../../provider/remote-image/git/pack";
import { PackError } from "../../../../provider/remote-image/git/pack-file";
import { TemporaryFolder } from "../../../support/temporary-folder";

const KIND = { commit: 1, tree: 2, blob: 3, tag: 4, offset: 6, id: 7 } as const;

/** One object as it lies in a pack; `size` may lie. */
function entry(kind: keyof typeof KIND, data: Buffer, base = Buffer.alloc(0), size = data.length): Buffer {
  const head: number[] = [(KIND[kind] << 4) | (size & 15)];
  for (let left = size >> 4; left > 0; left >>= 7) {
    head[head.length - 1] = (head.at(-1) ?? 0) | 0x80;
    head.push(left & 0x7f);
  }
  return Buffer.concat([Buffer.from(head), base, deflateSync(data)]);
}

function packOf(...entries: readonly Buffer[]): Buffer {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(entries.length, 8);
  return Buffer.concat([head, ...entries, Buffer.alloc(20)]);
}

function idOf(kind: string, data: Buffer): string {
  return createHash("sha1").update(`${kind} ${data.length}\0`).update(data).digest("hex");
}

describe("a pack", () => {
  const folder = new TemporaryFolder();
  const { signal } = new AbortController();
  after(() => folder.remove());

  const opened = async (bytes: Buffer): Promise<Pack> => {
    const file = path.join(folder.path, "one.pack");
    writeFileSync(file, bytes);
    return Pack.open(file, signal);
  };

  const base = Buffer.from("hello world, hello git\n");
  /** Takes six bytes of the base, and adds "there\n". */
  const change = Buffer.concat([Buffer.from([base.length, 12, 0x90, 6, 6]), Buffer.from("there\n")]);
  const made = Buffer.from("hello there\n");

  it("must give objects by their content, those that are changes to another one included", async () => {
    const ofBase = Buffer.from(idOf("blob", base), "hex");
    // the change by id stands before what it changes, itself a change
    const onMade = Buffer.concat([Buffer.from([12, 3, 0x91, 6, 3])]);
    const first = entry("id", onMade, Buffer.from(idOf("blob", made), "hex"));
    const pack = await opened(packOf(first, entry("blob", base), entry("id", change, ofBase)));
    assert.deepEqual(pack.read(idOf("blob", base), "blob"), base);
    assert.deepEqual(pack.read(idOf("blob", made), "blob"), made);
    assert.equal(pack.read(idOf("blob", Buffer.from("the")), "blob").toString(), "the");
    assert.throws(() => pack.read(idOf("blob", base), "tree"), PackError);
    pack.close();
    const blob = entry("blob", base);
    const byPlace = await opened(packOf(blob, entry("offset", change, Buffer.from([blob.length]))));
    assert.deepEqual(byPlace.read(idOf("blob", made), "blob"), made);
    byPlace.close();
  });

  it("must hold content that cannot be compressed, and empty content", async () => {
    const noise = Buffer.concat(
      Array.from({ length: 4_000 }, (_, n) => createHash("sha256").update(`${n}`).digest()),
    );
    const pack = await opened(
      packOf(entry("blob", noise), entry("blob", Buffer.alloc(0)), entry("blob", base)),
    );
    assert.deepEqual(pack.read(idOf("blob", noise), "blob"), noise);
    assert.equal(pack.read(idOf("blob", Buffer.alloc(0)), "blob").length, 0);
    assert.deepEqual(pack.read(idOf("blob", base), "blob"), base);
    pack.close();
  });

  it("must be refused where it is cut, lies of a size, or refers to what is not in it", async () => {
    const blob = entry("blob", base);
    const nowhere = Buffer.alloc(20, 1);
    const broken = [
      Buffer.from("no pack at all"),
      packOf(blob).subarray(0, 20),
      packOf(entry("blob", Buffer.alloc(1_000_000), undefined, 10)),
      packOf(entry("blob", base, undefined, 1_000)),
      packOf(entry("blob", base, undefined, 2 ** 30 + 1)),
      packOf(entry("id", change, nowhere)),
      packOf(blob, entry("offset", change, Buffer.from([1]))),
      packOf(blob, entry("offset", Buffer.from([1, 1, 1, 65]), Buffer.from([blob.length]))),
    ];
    const fewer = packOf(blob, entry("blob", made));
    fewer.writeUInt32BE(3, 8);
    await assert.rejects(opened(fewer), /ends too soon/);
    for (const [n, each] of broken.entries()) await assert.rejects(opened(each), PackError, `${n}`);
  });

  it("must take no change that reads or writes beyond its bounds", () => {
    assert.deepEqual(applyDelta(base, change), made);
    const wrong = [
      [base.length, 6, 0x90, 7],
      [base.length, 4, 0x91, 22, 4],
      [base.length, 4, 5, 65, 66, 67, 68, 69],
      [base.length, 4, 2, 65],
      [base.length, 1, 0],
      [base.length],
    ];
    for (const each of wrong)
      assert.throws(() => applyDelta(base, Buffer.from(each)), PackError, String(each));
  });

  it("must lead from a tag of a tag to the commit's folder, and no further than it goes", async () => {
    const tree = Buffer.alloc(0);
    const commit = Buffer.from(`tree ${idOf("tree", tree)}\nauthor a\n\nx\n`);
    const tag = Buffer.from(`object ${idOf("commit", commit)}\ntype commit\n`);
    const tagged = Buffer.from(`object ${idOf("tag", tag)}\ntype tag\n`);
    const ofBlob = Buffer.from(`object ${idOf("blob", base)}\ntype blob\n`);
    const pack = await opened(
      packOf(
        entry("tree", tree),
        entry("commit", commit),
        entry("tag", tag),
        entry("tag", tagged),
        entry("tag", ofBlob),
        entry("blob", base),
      ),
    );
    assert.equal(treeOf(pack, idOf("tag", tagged)), idOf("tree", tree));
    assert.throws(() => treeOf(pack, idOf("tag", ofBlob)), /a blob where a commit should be/);
    assert.throws(() => treeOf(pack, "1".repeat(40)), /no commit/);
    pack.close();
  });

  it("must name what no repository may have", () => {
    const tree = (mode: string, name: string | Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name as string), Buffer.alloc(21)]);
    assert.equal(readTree(tree("100644", ".gitignore"), "").length, 1);
    assert.equal(readTree(tree("40000", ".github"), "")[0]?.kind, "folder");
    for (const name of ["..", ".", "", ".git", ".Git", ".git.", "git~1", ".g\u200cit", "a/b"]) {
      assert.throws(
        () => readTree(tree("100644", name), "x"),
        /no repository may have/,
        JSON.stringify(name),
      );
    }
    assert.throws(() => readTree(tree("100644", Buffer.from([0xff])), ""), /not UTF-8/);
    assert.throws(() => readTree(tree("10644", "dev"), ""), /no kind/);
    assert.throws(() => readTree(Buffer.from("100644 cut\0abc"), ""), /ends too soon/);
  });
});
