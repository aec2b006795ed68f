import assert from "node:assert/strict";
import { peekAtRpms } from "../../../../provider/docker-host/packages/dnf-peek";
import { fixture } from "../../../support/fixture";
import { packageHost } from "../../../support/package-host";
import { ED25519, ED25519_FINGERPRINT } from "../../../support/signing-key";

const KEY = "https://mirror.example.com/gpg";
const URL = "https://mirror.example.com/rpm";
const ANSWER = fixture("docker-host", "dnf", "repoquery-dnf5.txt");

describe("peekAtRpms", () => {
  /** What a preview makes of a repository. */
  const peek = (keyFingerprint: string) => {
    const isKey = (call: string): boolean => call.startsWith(`script ${KEY}`);
    const host = packageHost(
      () => false,
      (call) => (isKey(call) ? ED25519 : ANSWER),
    );
    const repository = { url: URL, content: "", components: [], packages: [], key: KEY, keyFingerprint };
    const offers = peekAtRpms(host.session, repository, ["docker-ce"], host.run.signal);
    return { offers, calls: host.calls };
  };

  it("must refuse a repository whose key will not be trusted", async () => {
    const other = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";
    const refusal = {
      code: "engine-install-failed",
      message: new RegExp(`${ED25519_FINGERPRINT}, not ${other}`),
    };
    await assert.rejects(peek(other).offers, refusal);
  });

  it("must show what the repository offers, asked in the words for all", async () => {
    const { offers, calls } = peek(ED25519_FINGERPRINT);
    assert.deepEqual((await offers).find(({ name }) => name === "docker-ce")?.version, "3:29.0.0~rc.1-1.el9");
    assert.match(calls[0] ?? "", /^script https:\/\/mirror\.example\.com\/rpm -q repoquery .* docker-ce$/);
  });

  it("must show nothing where dnf does not answer in time", async () => {
    const host = packageHost((call) => call.startsWith(`script ${URL}`));
    const repository = { url: URL, content: "", components: [], packages: [] };
    assert.deepEqual(await peekAtRpms(host.session, repository, ["docker-ce"], host.run.signal), []);
  });
});
