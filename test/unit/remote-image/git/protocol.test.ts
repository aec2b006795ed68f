import assert from "node:assert/strict";
import path from "node:path";
import { Readable } from "node:stream";
import {
  readAdvertisement,
  resolveRef,
  ServerRefusal,
  wantFor,
} from "../../../../provider/remote-image/git/advertisement";
import { fetchPack } from "../../../../provider/remote-image/git/fetch-pack";
import { FLUSH, PacketError, PacketReader, packet } from "../../../../provider/remote-image/git/pkt-line";

import { TemporaryFolder } from "../../../support/temporary-folder";

const A = "a".repeat(40);
const B = "b".repeat(40);
const C = "c".repeat(40);

/** The bytes as a server sends them, in pieces of `size`. */
function reader(bytes: Buffer, size = 3): PacketReader {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return new PacketReader(Readable.from(pieces) as AsyncIterable<Buffer>);
}

describe("git's protocol", () => {
  const refs = Buffer.concat([
    packet(`${A} HEAD\0multi_ack symref=HEAD:refs/heads/main shallow\n`),
    packet(`${A} refs/heads/main\n`),
    packet(`${A} refs/heads/v1\n`),
    packet(`${B} refs/tags/v1\n`),
    packet(`${C} refs/tags/v1^{}\n`),
    FLUSH,
  ]);

  it("must be read whole, however the bytes come", async () => {
    for (const size of [1, 3, 1_000]) {
      const read = await readAdvertisement(reader(refs, size));
      assert.equal(read.refs.size, 5);
      assert.ok(read.capabilities.has("shallow"));
    }
  });

  it("must find a ref as git does: a tag before a branch, and the commit behind a tag", async () => {
    const read = await readAdvertisement(reader(refs));
    assert.equal(resolveRef(read, undefined), A);
    assert.equal(resolveRef(read, "v1"), C);
    assert.equal(resolveRef(read, "heads/v1"), A);
    assert.equal(resolveRef(read, "v2"), undefined);
    assert.equal(wantFor(read, A), A);
    assert.equal(wantFor(read, C), B, "the tag is what a server lists");
    assert.equal(wantFor(read, "d".repeat(40)), undefined);
  });

  it("must know an empty repository, and a server's refusal", async () => {
    const empty = Buffer.concat([packet(`${"0".repeat(40)} capabilities^{}\0shallow\n`), FLUSH]);
    assert.equal((await readAdvertisement(reader(empty))).refs.size, 0);
    const refusal = packet("ERR access denied\u001b[31m\n");
    await assert.rejects(
      readAdvertisement(reader(refusal)),
      (error) => error instanceof ServerRefusal && error.message === "access denied",
    );
  });

  it("must be told from what is cut off, and from what is none", async () => {
    const whole = [
      refs.subarray(0, 20),
      refs.subarray(0, -4),
      Buffer.from("<!doctype html>"),
      Buffer.from("0001"),
    ];
    for (const each of whole) await assert.rejects(readAdvertisement(reader(each)), PacketError);
  });

  it("must claim multi_ack where the server has it: Azure DevOps serves nobody else", async () => {
    const folder = new TemporaryFolder();
    /** The line that asks a server with these capabilities for a commit. */
    const asked = async (capabilities: readonly string[]): Promise<string> => {
      let line = "";
      const advertisement = { refs: new Map([["HEAD", A]]), capabilities: new Set(capabilities) };
      const ask = (request: Buffer): Promise<PacketReader> => {
        [line = ""] = request.toString().split("\n");
        return Promise.resolve(reader(Buffer.concat([packet("NAK\n"), FLUSH])));
      };
      const file = path.join(folder.path, String(capabilities));
      const { signal } = new AbortController();
      const target = { file, signal, onBytes: () => {} };
      await fetchPack({ advertisement, ask }, { commit: A, how: "commit" }, target);
      return line.slice(4);
    };
    const rest = "side-band-64k agent=slipway";
    assert.equal(await asked(["side-band-64k"]), `want ${A} ${rest}`);
    assert.equal(await asked(["side-band-64k", "multi_ack"]), `want ${A} multi_ack ${rest}`);
    const both = ["multi_ack", "multi_ack_detailed", "side-band-64k"];
    assert.equal(await asked(both), `want ${A} multi_ack_detailed ${rest}`);
    folder.remove();
  });
});
