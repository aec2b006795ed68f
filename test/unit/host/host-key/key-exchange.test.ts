import assert from "node:assert/strict";
import { PeerStart } from "../../../../provider/host/host-key/key-exchange";

const STRICT = "kex-strict-s-v00@openssh.com";

describe("PeerStart", () => {
  it("must read the offer, however it is cut into pieces", () => {
    const bytes = Buffer.concat([
      Buffer.from("SSH-2.0-OpenSSH_9.9\r\n"),
      packet(20, [`curve,${STRICT}`, "ed"]),
    ]);
    for (const size of [1, 7, bytes.length]) {
      const peer = fed(bytes, size);
      assert.equal(peer.progress, "offered");
      assert.equal(peer.strict, true);
      assert.deepEqual(peer.offer?.kex, ["curve", STRICT]);
      assert.deepEqual(peer.offer.hostKeys, ["ed"]);
    }
  });

  it("must pass over lines before the version's", () => {
    const start = "Welcome\r\nnot SSH-2.0\r\nSSH-2.0-x\r\n";
    assert.equal(fed(Buffer.concat([Buffer.from(start), packet(20, [STRICT])])).strict, true);
  });

  it("must not call a machine strict whose offer is not the first packet, or lacks the mark", () => {
    const version = Buffer.from("SSH-2.0-x\r\n");
    const ignored = packet(2, []);
    assert.equal(fed(Buffer.concat([version, ignored, packet(20, [STRICT])])).strict, false);
    assert.equal(fed(Buffer.concat([version, packet(20, ["curve"])])).strict, false);
  });

  it("must tell how far a machine came", () => {
    assert.equal(fed(Buffer.from("")).progress, "silent");
    assert.equal(fed(Buffer.from("HTTP/1.1 400 Bad Request\r\n")).progress, "silent");
    assert.equal(fed(Buffer.from("SSH-2.0-x\r\n\0\0")).progress, "greeted");
  });

  it("must take a broken offer for none", () => {
    const broken = packet(20, [STRICT]);
    broken.writeUInt32BE(0xffff, 4 + 1 + 17);
    assert.equal(fed(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), broken])).offer, undefined);
    assert.equal(fed(Buffer.alloc(100_000, "x")).offer, undefined);
  });
});

function fed(bytes: Buffer, size = Math.max(1, bytes.length)): PeerStart {
  const peer = new PeerStart();
  for (let at = 0; at < bytes.length; at += size) peer.take(bytes.subarray(at, at + size));
  return peer;
}

/** A packet in clear: its length, that of the padding, and the payload; lists that are not given are empty. */
function packet(type: number, lists: readonly string[]): Buffer {
  const names = Array.from({ length: 10 }, (_, at) => Buffer.from(lists[at] ?? ""));
  const payload = [Buffer.from([type]), Buffer.alloc(16)];
  for (const list of names) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(list.length);
    payload.push(length, list);
  }
  const body = Buffer.concat([Buffer.from([4]), ...payload, Buffer.alloc(5 + 4)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}
