import assert from "node:assert/strict";
import { parseLook } from "../../../../provider/docker-host/look/look";
import { apk } from "../../../../provider/docker-host/packages/apk";
import { apkRepository } from "../../../../provider/docker-host/packages/apk-source";
import { apkInstall, parsePolicy } from "../../../../provider/docker-host/packages/apk-text";
import { readRsaKeys } from "../../../../provider/docker-host/packages/rsa-key";
import { DOCKER_PACKAGES, type EngineSource } from "../../../../provider/docker-host/packages/source";
import { listOffers } from "../../../../provider/docker-host/packages/version";
import { fixture } from "../../../support/fixture";
import { observedEngine } from "../../../support/observed-engine";
import { packageHost } from "../../../support/package-host";

const recorded = (name: string): string => fixture("docker-host", "apk", name);
const URL = "https://mirror.example/alpine/v3.20/community";
const KEY = "https://mirror.example/keys/lab-1.rsa.pub";
const source = (key?: string): EngineSource => {
  return { kind: "custom", url: URL, components: [], key, packages: DOCKER_PACKAGES };
};
const { facts } = observedEngine();

// made by openssl 3.5, as is the fingerprint: pkey -pubin -outform DER | sha256sum
const RSA_FINGERPRINT = "F58297C67FC971EED7AD5D70CD612CA1EDE22EF07948FCD0A72D4E6F09F50CF7";
const RSA = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3wo7fEJatsF4i1HKCiSN
3UUp2q+67clj3klH2GQjNwRE2qYdRAocnhRZQW0IjWO0w7qfelr5apAovgwrq3wx
I/w8pJV0LLo8to97I4GpVVPa7+pZ1F7YLfHqMckLFYkK+CknlT/3qWFPkY8Vb9ll
8w7YNdBQI7qkOPPxVUBre/EvA/FPCBzxUKoIQpFgRivfUgptn2EPfZ9kyuQiKxIw
qU9s8rBSdEjSxkdvpAw33WUtZ62I59WoQrFYTxB3974LI1Mb3oWWHDkEdNtWIxti
9bYeiRRSfwB+80hv0Ly2MxSmUYBnDlq/RIt1LFdGYVnyzpt7N+W+8eGgGseRI/lX
uwIDAQAB
-----END PUBLIC KEY-----
`;

describe("apk", () => {
  for (const tool of ["apk2", "apk3"]) {
    it(`must read what ${tool} offers, best first, without tagged repositories and what is only installed`, () => {
      const offers = parsePolicy(recorded(`policy-${tool}.txt`));
      assert.deepEqual(listOffers(offers, "docker-engine"), ["28.3.3", "27.3.1", "26.1.5"]);
      assert.deepEqual(listOffers(offers, "containerd"), ["2.1.4", "2.0.0"]);
      assert.deepEqual(offers[0], {
        name: "docker-engine",
        version: "28.3.3-r2",
        repositories: ["/srv/alp"],
      });
    });
  }

  it("must take what only the database of installed ones has for no offer", () => {
    assert.deepEqual(parsePolicy("docker-cli policy:\n  27.3.1-r1:\n    lib/apk/db/installed\n"), []);
    assert.deepEqual(parsePolicy("docker-cli policy:\n  27.3.1-r1:\n    usr/lib/apk/db/installed\n"), []);
  });

  it("must read what is installed and pinned", () => {
    const packages = parseLook(`\n== os\nID=alpine\n\n${recorded("look-apk3.txt")}`)?.packages;
    assert.deepEqual(packages?.installed, {
      containerd: "2.1.4-r0",
      "docker-cli": "27.3.1-r1",
      "docker-engine": "27.3.1-r1",
      runc: "1.2.2-r1",
    });
    assert.deepEqual(packages.held, ["docker-cli", "docker-engine"]);
  });

  it("must pin exactly, and keep out what is replaced, in one step", () => {
    const parts = [{ name: "docker-engine", version: "27.3.1-r1" }, { name: "curl" }];
    assert.equal(
      apkInstall(parts, ["podman-docker"]).join(" "),
      "apk --wait 300 --no-progress add docker-engine=27.3.1-r1 curl !podman-docker",
    );
  });

  const ADD = "script  apk --wait 300 --no-progress add docker-engine=27.3.1-r1 !podman-docker";
  const WORLD = "script  apk --wait 300 --no-progress --no-network add";
  const order = {
    ...{ install: [{ name: "docker-engine", version: "27.3.1-r1" }], remove: ["podman-docker"] },
    allowDowngrade: false,
  };
  const pinning = (fails: (call: string) => boolean = () => false) =>
    packageHost(fails, (call) => (call === "script containerd runc" ? "runc=1.1.12-r1\n" : ""));

  it("must release what the engine needs before it installs, and leave the hold to its own step", async () => {
    const { session, calls, run } = packageHost();
    await apk.install(session, order, run);
    assert.deepEqual(calls, [
      "script containerd runc",
      ADD,
      "script podman-docker",
      `${WORLD} docker-engine`,
    ]);
    const pinned = pinning();
    await apk.install(pinned.session, order, pinned.run);
    assert.deepEqual(pinned.calls, [
      "script containerd runc",
      `${WORLD} runc`,
      ADD,
      "script runc",
      "script podman-docker",
      `${WORLD} docker-engine`,
    ]);
  });

  it("must put the pins back that it took off when the installation fails", async () => {
    const { session, calls, run } = pinning((call) => call === ADD || call === "script runc");
    await assert.rejects(apk.install(session, order, run), /installing docker-engine .*exit code 1/);
    assert.deepEqual(calls, ["script containerd runc", `${WORLD} runc`, ADD, "script runc"]);
  });

  it("must leave the pins of others alone when it installs a tool", async () => {
    const { session, calls, run } = pinning();
    await apk.install(session, { install: [{ name: "curl" }], remove: [], allowDowngrade: false }, run);
    assert.deepEqual(calls, ["script  apk --wait 300 --no-progress add curl", `${WORLD} curl`]);
  });

  for (const tool of ["apk2", "apk3"]) {
    it(`must read who needs what is to go of what ${tool} keeps`, async () => {
      const { session, calls, run } = packageHost(
        () => false,
        () => recorded(`del-kept-${tool}.txt`),
      );
      const removal = { install: [], remove: ["docker-engine", "containerd", "runc"], allowDowngrade: false };
      assert.deepEqual(await apk.removals(session, removal, run.signal), [
        "a-tool-with-a-very-long-name-that-needs-containerd-and-runc",
        "another-tool-with-a-very-long-name",
        "buildkit",
        "lazydocker",
        "nerdctl",
      ]);
      assert.deepEqual(calls, ["exec apk --no-progress del --simulate docker-engine containerd runc"]);
    });

    it(`must read what ${tool} would purge with what is replaced`, async () => {
      const { session, calls, run } = packageHost(
        () => false,
        () => recorded(`add-purging-${tool}.txt`),
      );
      const install = [{ name: "docker-engine", version: "28.3.3-r2" }];
      const order = { install, remove: ["podman-docker"], allowDowngrade: false };
      assert.deepEqual(await apk.removals(session, order, run.signal), ["conmon", "podman"]);
      assert.deepEqual(calls, [
        "exec apk --no-progress add --simulate docker-engine=28.3.3-r2 !podman-docker",
      ]);
    });
  }

  it("must not ask where nothing is to go: what nobody needs any more goes with every run of apk", async () => {
    const { session, calls, run } = packageHost();
    const order = { install: [{ name: "docker-engine" }], remove: [], allowDowngrade: false };
    assert.deepEqual(await apk.removals(session, order, run.signal), []);
    assert.deepEqual(calls, []);
  });

  it("must not take a removal that cannot be tried for one that takes nothing along", async () => {
    const { session, run } = packageHost(() => true);
    const order = { install: [], remove: ["docker-engine"], allowDowngrade: false };
    await assert.rejects(apk.removals(session, order, run.signal), { code: "engine-install-failed" });
  });

  it("must show what a repository offers that the machine does not know, unless its key will not be trusted", async () => {
    const peek = (keyFingerprint: string) => {
      const host = packageHost(
        () => false,
        (call) =>
          call.startsWith("script")
            ? RSA
            : `docker-engine policy:\n  28.3.3-r2:\n    ${URL}\n    /srv/other\n`,
      );
      const repository = { url: URL, components: [], packages: [], content: "", key: KEY, keyFingerprint };
      return apk.peek(host.session, repository, ["docker-engine"], host.run.signal);
    };
    const [offer] = await peek(RSA_FINGERPRINT);
    assert.deepEqual([offer?.name, offer?.version], ["docker-engine", "28.3.3-r2"]);
    const other = "0".repeat(64);
    const refusal = {
      code: "engine-install-failed",
      message: new RegExp(`${RSA_FINGERPRINT}, not ${other}`),
    };
    await assert.rejects(peek(other), refusal);
  });

  it("must install files without any source, and ask none for the pins", async () => {
    const { session, calls, run } = packageHost();
    const files = { paths: ["/p/docker-engine.apk"], names: ["docker-engine"] };
    await apk.uploads.install(session, { ...files, remove: [], allowDowngrade: false }, run);
    await apk.unhold(session, ["docker-engine"], run);
    const release = `${WORLD} docker-engine`;
    assert.deepEqual(calls, [
      "script containerd runc",
      "script  apk --wait 300 --no-progress --no-network --repositories-file /dev/null --allow-untrusted add /p/docker-engine.apk",
      release,
      release,
    ]);
  });

  it("must take Alpine's packages where Docker's names are asked, which it does not have", () => {
    assert.deepEqual(apk.names(source(), facts), ["docker-engine", "docker-cli", "docker-openrc"]);
  });

  it("must keep the key's name, by which apk finds it", () => {
    const file = apkRepository(source(KEY), facts);
    assert.equal(
      file?.content,
      `# Written by Slipway for the Docker packages; changes here are overwritten.\n# key /etc/apk/keys/lab-1.rsa.pub\n${URL}\n`,
    );
    for (const key of ["-----BEGIN PGP PUBLIC KEY BLOCK-----", "https://mirror.example/key.asc"]) {
      assert.throws(() => apkRepository(source(key), facts), { code: "invalid-input" });
    }
  });

  it("must take a source off again from which nothing comes: apk says no more of another key than a warning", async () => {
    const { session, calls, run } = packageHost();
    const content = `${URL}\n`;
    const repository = { url: URL, components: [], packages: [], content };
    await assert.rejects(
      apk.addRepository(session, repository, run),
      /not signed with a key that the host trusts/,
    );
    assert.equal(calls.at(-1), "script");
    const answer = (): string => `docker-engine policy:\n  27.3.1-r1:\n    ${URL}\n`;
    const good = packageHost(() => false, answer);
    await apk.addRepository(good.session, repository, good.run);
    assert.ok(good.calls.includes("write /etc/apk/repositories.d/slipway-docker.list"));
  });
});

describe("readRsaKeys", () => {
  it("must compute what openssl prints", () => {
    assert.deepEqual(readRsaKeys(RSA), [RSA_FINGERPRINT]);
    assert.deepEqual(readRsaKeys(RSA.replaceAll("\n", "\r\n")), [RSA_FINGERPRINT]);
  });

  it("must have no key of what holds more than one key, another kind of key, or none", () => {
    const ed25519 =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    for (const text of [RSA + RSA, `see below\n${RSA}`, RSA.slice(0, -40), ed25519, "", "<html>"]) {
      assert.deepEqual(readRsaKeys(text), []);
    }
    assert.deepEqual(readRsaKeys(RSA.replace(/\n[A-Za-z0-9+/]{8}/, "\nAAAAAAAA")), []);
  });
});
