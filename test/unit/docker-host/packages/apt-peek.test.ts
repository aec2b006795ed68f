import assert from "node:assert/strict";
import { peekAtRepository } from "../../../../provider/docker-host/packages/apt-peek";
import { packageHost } from "../../../support/package-host";

const KEY = "https://mirror.example.com/gpg";
const FINGERPRINT = "1D72AF0363D26F1067A96EB0CFE1C6DB8838965B";
// made by `gpg --quick-generate-key` 2.4, ed25519
const ARMORED = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawFZphYJKwYBBAHaRw8BAQdA5o6yCojdYdlisC13AGpdXJh4IM8w0cor4nqi
GYnAICu0D290aGVyQGxvY2FsaG9zdIiQBBMWCAA4FiEEHXKvA2PSbxBnqW6wz+HG
24g4llsFAmsBWaYCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQz+HG24g4
llv50QD+KOpPajNsiHUjsf/Pk50SZCvwWg+DTD24RckbDGjm6tUBAOdQBxjjJiT9
uI2SdhP6MpCoTcXvBXi2juusoPHGy20L
=FUAS
-----END PGP PUBLIC KEY BLOCK-----
`;
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
    const refusal = { code: "engine-install-failed", message: new RegExp(`${FINGERPRINT}, not ${other}`) };
    await assert.rejects(peek(other, ARMORED), refusal);
    await assert.rejects(peek(other, undefined, ARMORED), refusal);
    await assert.rejects(peek(FINGERPRINT, "<html>"), /not a readable OpenPGP key/);
  });

  it("must show what a repository offers whose key is right, or cannot be had now", async () => {
    const offers = [
      { name: "docker-ce", version: "5:28.5.2-1~debian.13~trixie", needs: { "docker-ce-cli": "0" } },
    ];
    assert.deepEqual(await peek(FINGERPRINT, ARMORED), offers);
    assert.deepEqual(await peek(FINGERPRINT, undefined), offers);
  });
});
