import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type KeyPairKeyObjectResult, generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type KeyText, readKeyText } from "../../provider/host/login/key-text";
import { makeKey } from "../support/key-files";
import { TemporaryFolder } from "../support/temporary-folder";

const PASSPHRASE = "open sesame";
const run = promisify(execFile);

describe("readKeyText", function () {
  this.timeout(20_000);
  const folder = new TemporaryFolder();
  after(() => folder.remove());

  const blobOf = (publicKey: string): Buffer => Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  const why = (text: KeyText): string => (text.kind === "private" ? "" : text.why);

  const kinds = {
    ed25519: ["-t", "ed25519"],
    ecdsa: ["-t", "ecdsa", "-b", "384"],
    rsa: ["-t", "rsa", "-b", "2048"],
  } as const;
  for (const [kind, args] of Object.entries(kinds)) {
    for (const format of kind === "ed25519" ? ["RFC4716"] : ["RFC4716", "PEM", "PKCS8"]) {
      it(`must take ${kind} as ssh-keygen writes it in ${format}, open and with its passphrase`, async () => {
        const plain = await makeKey(folder.path, `${kind}-${format}`, [...args, "-m", format]);
        const read = readKeyText(plain.privateKey.trim().replaceAll("\n", "\r\n"), undefined);
        assert.ok(read.kind === "private" && read.blob.equals(blobOf(plain.publicKey)), why(read));
        const signature = read.key.sign(Buffer.from("x"), ...(kind === "rsa" ? ["sha512"] : []));
        assert.ok(
          !(signature instanceof Error) &&
            read.key.verify(Buffer.from("x"), signature, kind === "rsa" ? "sha512" : undefined),
        );
        await run("ssh-keygen", ["-q", "-p", "-m", format, "-P", "", "-N", PASSPHRASE, "-f", plain.path]);
        const locked = await readFile(plain.path, "utf8");
        const opened = readKeyText(locked, PASSPHRASE);
        assert.ok(opened.kind === "private" && opened.blob.equals(blobOf(plain.publicKey)), why(opened));
        assert.match(
          why(readKeyText(locked, undefined)),
          /it is encrypted, and privateKeyPassword is not given/,
        );
        const wrong = readKeyText(locked, "open simsim");
        assert.ok(wrong.kind === "locked" && wrong.why.includes("does not open it"), why(wrong));
        assert.ok(!wrong.why.includes("simsim"), wrong.why);
        assert.equal(wrong.blob?.equals(blobOf(plain.publicKey)) ?? false, format === "RFC4716");
      });
    }
  }

  it("must take ed25519 in PKCS#8, as openssl and Terraform write it", () => {
    const { privateKey, publicKey }: KeyPairKeyObjectResult = generateKeyPairSync("ed25519");
    const read = readKeyText(privateKey.export({ type: "pkcs8", format: "pem" }) as string, undefined);
    assert.ok(read.kind === "private", why(read));
    const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
    assert.ok(read.blob.subarray(-32).equals(raw));
    const bytes = Buffer.from("x");
    const signature = read.key.sign(bytes);
    assert.ok(!(signature instanceof Error) && read.key.verify(bytes, signature));
  });

  it("must say of a public key that it is one, in each format", async () => {
    const { path, publicKey } = await makeKey(folder.path, "public");
    const read = readKeyText(publicKey, undefined);
    assert.ok(read.kind === "public" && read.blob?.equals(blobOf(publicKey)));
    const { stdout } = await run("ssh-keygen", ["-e", "-m", "RFC4716", "-f", path]);
    const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }) as string;
    for (const text of [stdout, pem]) assert.equal(readKeyText(text, undefined).kind, "public", text);
  });

  it("must name a certificate", async () => {
    const authority = await makeKey(folder.path, "authority");
    const key = await makeKey(folder.path, "signed");
    await run("ssh-keygen", ["-q", "-s", authority.path, "-I", "id", "-n", "root", `${key.path}.pub`]);
    const read = readKeyText(await readFile(`${key.path}-cert.pub`, "utf8"), undefined);
    assert.ok(
      read.kind === "unfit" && read.why.includes("certificate (ssh-ed25519-cert-v01@openssh.com)"),
      why(read),
    );
  });

  for (const type of ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"]) {
    it(`must name a key in hardware, ${type}`, () => {
      const field = (text: string): Buffer => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(text.length);
        return Buffer.concat([length, Buffer.from(text)]);
      };
      const blob = Buffer.concat([field(type), field("x".repeat(32)), field("ssh:")]);
      const head = [
        Buffer.from("openssh-key-v1\0"),
        field("none"),
        field("none"),
        field(""),
        Buffer.from([0, 0, 0, 1]),
      ];
      const body = Buffer.concat([...head, field(blob.toString("latin1")), field("secret")]).toString(
        "base64",
      );
      const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
      for (const given of [text, `${type} ${blob.toString("base64")} comment`]) {
        const read = readKeyText(given, undefined);
        assert.ok(read.kind === "unfit" && read.why.includes(`key in hardware (${type})`), why(read));
      }
    });
  }

  it("must say how to convert PuTTY's newer format", () => {
    const read = readKeyText("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n", undefined);
    assert.ok(read.kind === "unfit" && read.next.includes("puttygen"), why(read));
  });

  it("must show nothing of a text that is no key", () => {
    for (const text of [
      "",
      "hunter2 is my password",
      "-----BEGIN OPENSSH PRIVATE KEY-----\naHVudGVyMg==\n-----END OPENSSH PRIVATE KEY-----",
    ]) {
      const read = readKeyText(text, "sesame");
      assert.ok(read.kind === "unfit", read.kind);
      assert.ok(!/hunter2|aHVudGVyMg|sesame/.test(read.why + read.next), read.why);
    }
  });
});
