import assert from "node:assert/strict";
import {
  type HostKeyDemand,
  fingerprintOf,
  hostKeyAlgorithms,
  judgeHostKey,
  keyTypeOf,
  knownHostsLine,
  parseHostKey,
  withoutKeyType,
} from "../../../../provider/host/host-key/host-key";

// what `ssh-keygen -lf` says of the key is the fingerprint below
const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIEIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC";
const BLOB = Buffer.from(KEY, "base64");
const PRINT = "SHA256:2sL3co83kyI5eN+sR1+NsT2s6SpscO028v+Yg8/wEtQ";
const OTHER = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const demand = (parts: Partial<HostKeyDemand>): HostKeyDemand => ({
  accepted: [],
  revoked: [],
  acceptNew: false,
  authority: "none",
  fromFiles: true,
  source: "test",
  ...parts,
});

describe("parseHostKey", () => {
  it("must read a key line, one with a name in front, and a fingerprint", () => {
    const key = { kind: "key", type: "ssh-ed25519", fingerprint: PRINT };
    assert.deepEqual(parseHostKey(`ssh-ed25519 ${KEY} root@web`), key);
    assert.deepEqual(parseHostKey(`web,10.0.0.1 ssh-ed25519 ${KEY}\n`), key);
    assert.deepEqual(parseHostKey(` ${PRINT}= `), { kind: "fingerprint", fingerprint: PRINT });
  });

  it("must refuse what is neither", () => {
    for (const text of ["", "yes", "MD5:aa:bb", "SHA256:short", KEY, `ssh-rsa ${KEY}`, "ssh-ed25519 AAAA"]) {
      assert.equal(parseHostKey(text), undefined, text);
    }
  });
});

describe("fingerprintOf", () => {
  it("must be what ssh-keygen prints", () => {
    assert.equal(fingerprintOf(BLOB), PRINT);
  });
});

describe("judgeHostKey", () => {
  it("must accept any one of several", () => {
    const accepted = [OTHER, PRINT].map((fingerprint) => ({ kind: "fingerprint", fingerprint }) as const);
    assert.deepEqual(judgeHostKey(demand({ accepted }), BLOB), { kind: "accepted" });
  });

  it("must call another key a mismatch even under accept-new", () => {
    const accepted = [{ kind: "fingerprint", fingerprint: OTHER }] as const;
    const verdict = judgeHostKey(demand({ accepted, acceptNew: true }), BLOB);
    assert.deepEqual(verdict, { kind: "mismatch", expected: [OTHER] });
  });

  it("must accept an unknown key only under accept-new", () => {
    assert.deepEqual(judgeHostKey(demand({}), BLOB), { kind: "unknown" });
    assert.deepEqual(judgeHostKey(demand({ acceptNew: true }), BLOB), { kind: "accepted" });
  });

  it("must refuse a revoked key whatever else says yes", () => {
    const revoked = [{ marker: "revoked", hosts: "*", type: "ssh-ed25519", key: KEY, line: 7 }] as const;
    const accepted = [{ kind: "fingerprint", fingerprint: PRINT }] as const;
    const verdict = judgeHostKey(demand({ revoked, accepted, acceptNew: true }), BLOB);
    assert.deepEqual(verdict, { kind: "revoked", where: "line 7 of known_hosts" });
  });
});

describe("hostKeyAlgorithms", () => {
  it("must offer only the types we hold, never SHA-1", () => {
    const rsa = { kind: "key", type: "ssh-rsa", fingerprint: OTHER } as const;
    assert.deepEqual(hostKeyAlgorithms(demand({ accepted: [rsa] })), ["rsa-sha2-512", "rsa-sha2-256"]);
    const all = hostKeyAlgorithms(demand({}));
    assert.equal(all[0], "ssh-ed25519");
    assert.ok(!all.includes("ssh-rsa"));
    assert.deepEqual(
      hostKeyAlgorithms(demand({ accepted: [{ kind: "fingerprint", fingerprint: OTHER }] })),
      all,
    );
    assert.ok(!withoutKeyType(all, "ssh-rsa").some((algorithm) => algorithm.startsWith("rsa")));
  });
});

describe("knownHostsLine", () => {
  it("must be a line that known_hosts takes", () => {
    assert.equal(keyTypeOf(BLOB), "ssh-ed25519");
    assert.equal(knownHostsLine("web", 2222, BLOB), `[web]:2222 ssh-ed25519 ${KEY}`);
    assert.equal(keyTypeOf(Buffer.from("xx")), "unknown");
  });
});
