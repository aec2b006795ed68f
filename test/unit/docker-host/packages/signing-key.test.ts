import assert from "node:assert/strict";
import { readSigningKeys } from "../../../../provider/docker-host/packages/signing-key";
import { ED25519, ED25519_FINGERPRINT } from "../../../support/signing-key";

// made by `gpg --quick-generate-key` 2.4, rsa2048
const RSA_FINGERPRINT = "4336AAA3909D101D46874D21A0A94C2A63FABD8D";
const RSA = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mQENBGsBWaYBCADEk+g3HPqdSDyB1gzoZ6miryIkTNS7pc6G5ixbxeIIG5YTu4n/
UBFw2XGiBnjANaXYMMWYwRfcqUtbRjduSMvAbtSrTz3pOLOm6BoJBEsEber8VZg0
f24BBFhBdkOk2eAOUCuLEkZGsYBwKXHV+a1jdoQyHjIRRdpYotXXkZcJ5iFarton
6SdzJ/JoOqQgQ2SUM21Ou5wWsWsKmoLRrdZFSB4SDhkvtosIGiRQtPWq18OofhuH
M4PtJPnt/Z4udTAi6Pcv1pC9MeWGDZIHJai7Z7m4cHwr4pPNjj+XXrihEO7OJQiv
EBnq1ZyXKDLsF1ulqYj0Fb7cNUVWd0yQRq/vABEBAAG0HlNsaXB3YXkgVGVzdCA8
cmlnaHRAbG9jYWxob3N0PokBTgQTAQoAOBYhBEM2qqOQnRAdRodNIaCpTCpj+r2N
BQJrAVmmAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEKCpTCpj+r2NJ5oH
/R9mK5XW755e4WGmBQTIpT0n462MPo9rkwl0J1ZlT+s0fMws88ZXNzgeTKkCLSIG
zIsw6K1ePYQWstzH2tq20NLm3nB2C3GTBBXjkoF3XcDAL6tQVP9vI/Cga4Aquete
4J1UyqliDopWKFiUVENQjq3zZlkhrxCu6A2ouBh6rbBk1hZnod6fTiAwR2k6LfBz
G72Ak1xjzgTtbj1rx6GESXGypbE9bbj2YT3gYUUImytoZ6LpRh66RiIgpSH5+AgM
itFSmjlSeBGkKBjHiSoks/N+jsuLlkqOOhojrzVqdH+6Rf1RUvLfiwc8x0y2B6wN
W6O9QCtCEYJyFcRKJCRXPbA=
=LCrc
-----END PGP PUBLIC KEY BLOCK-----
`;
const binary = (armored: string): Buffer => Buffer.from(armored.split("\n").slice(2, -3).join(""), "base64");
const armor = (bytes: Buffer): string =>
  ED25519.replace(/\n\n[^]*\n-----END/, () => `\n\n${bytes.toString("base64")}\n-----END`);

describe("readSigningKeys", () => {
  it("must compute what gpg prints, of armored and of binary keys", () => {
    assert.deepEqual(readSigningKeys(RSA), [RSA_FINGERPRINT]);
    assert.deepEqual(readSigningKeys(ED25519), [ED25519_FINGERPRINT]);
    assert.deepEqual(readSigningKeys(binary(RSA)), [RSA_FINGERPRINT]);
    assert.deepEqual(readSigningKeys(binary(ED25519)), [ED25519_FINGERPRINT]);
    const headers = "-----\nVersion: GnuPG v2\nComment: of the mirror\n\n";
    assert.deepEqual(readSigningKeys(RSA.replace("-----\n\n", headers)), [RSA_FINGERPRINT]);
    assert.deepEqual(readSigningKeys(`\n${RSA.replaceAll("\n", "\r\n")}\n`), [RSA_FINGERPRINT]);
  });

  it("must see every key of a file", () => {
    const both = [RSA_FINGERPRINT, ED25519_FINGERPRINT];
    assert.deepEqual(readSigningKeys(RSA + ED25519), both);
    assert.deepEqual(readSigningKeys(Buffer.concat([binary(RSA), binary(ED25519)])), both);
    assert.deepEqual(readSigningKeys(armor(Buffer.concat([binary(RSA), binary(ED25519)]))), both);
  });

  // apt 3.0's sqv trusts the hidden key of each of the first four
  const hidden: Readonly<Record<string, string>> = {
    "a blank for an empty line": ED25519.replace("-----\n\n", "-----\n \n"),
    "another title": ED25519.replaceAll("PUBLIC KEY BLOCK", "MESSAGE"),
    "a blank behind its first line": ED25519.replace("-----\n\n", "----- \n\n"),
    "blanks behind its first and last line": ED25519.replaceAll("BLOCK-----\n", "BLOCK----- \n"),
    "a text before it": `see below\n${ED25519}`,
    "a secret key's tag": armor(Buffer.concat([Buffer.from([0x94]), binary(ED25519).subarray(1)])),
    "padding before it": armor(Buffer.alloc(0)).replace("\n\n\n", "\n\nAA==\nAAAA\n"),
  };
  for (const [how, key] of Object.entries(hidden)) {
    it(`must refuse the file when a key hides behind ${how}`, () => {
      assert.deepEqual(readSigningKeys(RSA + key), []);
      assert.deepEqual(readSigningKeys(key + RSA), []);
    });
  }

  it("must have no key of what is cut off or no key at all", () => {
    assert.deepEqual(readSigningKeys(binary(RSA).subarray(0, -1)), []);
    assert.deepEqual(readSigningKeys(RSA.slice(0, -60)), []);
    for (const text of ["", "<html>", "-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"]) {
      assert.deepEqual(readSigningKeys(text), []);
    }
  });
});
