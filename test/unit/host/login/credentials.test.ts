import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { utils } from "ssh2";
import { OneKeyAgent } from "../../../../provider/host/login/agent-keys";
import { credentialsOf } from "../../../../provider/host/login/credentials";

const BYTES = Buffer.from("x");
const WORDS = /RSA keys with SHA-1 signatures only/;

describe("credentialsOf, an RSA key", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const text = privateKey.export({ type: "pkcs1", format: "pem" }) as string;

  it("must sign with SHA-2, never with SHA-1, and say why not", async () => {
    const [credential] = await credentialsOf({ host: "a", privateKey: text }, {});
    const method = credential?.method;
    assert.ok(method?.type === "publickey" && typeof method.key === "object" && "sign" in method.key);
    assert.ok(!(method.key.sign(BYTES, "sha512") instanceof Error));
    assert.equal(credential?.complaint?.(), undefined);
    assert.ok(method.key.sign(BYTES, "sha1") instanceof Error);
    assert.match(credential?.complaint?.() ?? "", WORDS);
  });

  it("must not have an agent sign with SHA-1", () => {
    const key = utils.parseKey(text);
    assert.ok(!(key instanceof Error));
    const agent = new OneKeyAgent("/no/such/agent", key);
    let failed: unknown;
    agent.sign(key, BYTES, { hash: "sha1" }, (error) => (failed = error));
    assert.match(String(failed), WORDS);
    assert.match(agent.complaint ?? "", WORDS);
  });
});
