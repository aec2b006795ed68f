import assert from "node:assert/strict";
import { peekAtRepository } from "../../../../provider/docker-host/packages/apt-peek";
import { packageHost } from "../../../support/package-host";
import { ED25519, ED25519_FINGERPRINT } from "../../../support/signing-key";

const KEY = "https://mirror.example.com/gpg";
const INDEX = "Package: docker-ce\nVersion: 5:28.5.2-1~debian.13~trixie\nDepends: docker-ce-cli\n";

describe("peekAtRepository", () => {
  /** What a preview makes of it where the address of the key gives `answer`, or nobody answers there. */
  const peek = (keyFingerprint: string, answer: string | undefined, key = KEY) => {
    const isKey = (call: string): boolean => call.startsWith(`script ${KEY}`);
    const host = packageHost(
      (call) => isKey(call) && answer === undefined,
      (call) => (isKey(call) ? (answer ?? "") : INDEX),
    );
    const repository = {
      ...{ content: "", url: "https://mirror.example.com", suite: "trixie", components: ["stable"] },
      ...{ key, keyFingerprint, packages: ["docker-ce"] },
    };
    return peekAtRepository(host.session, repository, ["docker-ce"], host.run.signal);
  };

  it("must refuse a repository whose key will not be trusted", async () => {
    const other = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";
    const refusal = {
      code: "engine-install-failed",
      message: new RegExp(`${ED25519_FINGERPRINT}, not ${other}`),
    };
    await assert.rejects(peek(other, ED25519), refusal);
    await assert.rejects(peek(other, undefined, ED25519), refusal);
    await assert.rejects(peek(ED25519_FINGERPRINT, "<html>"), /not a readable OpenPGP key/);
  });

  it("must show what a repository offers whose key is right, or cannot be had now", async () => {
    const offers = [
      { name: "docker-ce", version: "5:28.5.2-1~debian.13~trixie", needs: { "docker-ce-cli": "0" } },
    ];
    assert.deepEqual(await peek(ED25519_FINGERPRINT, ED25519), offers);
    assert.deepEqual(await peek(ED25519_FINGERPRINT, undefined), offers);
  });
});
