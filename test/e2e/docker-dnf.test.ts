import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { isSlipwayError } from "../../provider/errors";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { docker } from "../lab/docker";
import { holdPackageLock } from "../lab/package-lock";
import { type RpmHost, startRpmHost } from "../lab/rpm-host";
import { labContext } from "../support/lab-context";

const CONSENT = { allowDaemonRestart: true, allowDowngrade: true };
const LOCKS = "/etc/dnf/plugins/versionlock.list";

describe("DockerHost by dnf", function () {
  this.timeout(180_000);
  const lines: string[] = [];
  const context: HandlerContext = labContext((line) => void lines.push(line));
  let rpm: RpmHost;
  let outputs: Properties;

  before(async function () {
    this.timeout(600_000); // the first time makes its image
    rpm = await startRpmHost();
  });
  after(async () => {
    closeConnections();
    await rpm.host.remove();
  });

  const inputs = (dockerVersion: string, more: Properties = {}, source: Properties = {}): Properties => {
    const own = { url: rpm.url, key: rpm.keys.right, keyFingerprint: rpm.fingerprint, ...source };
    return { connection: rpm.host.connection("deploy"), dockerVersion, source: own, ...more };
  };
  const create = (given: Properties): Promise<Properties> =>
    handler.create(given, context).then((created) => created.outputs);
  const update = async (news: Properties): Promise<Properties> =>
    (outputs = await handler.update("id", outputs, news, context));
  const running = async (): Promise<string> =>
    (await rpm.host.must(["docker", "version", "--format", "{{.Server.Version}}"])).split("+")[0] ?? "";
  const locks = async (): Promise<readonly string[]> =>
    (await rpm.host.must(["cat", LOCKS]))
      .split("\n")
      .filter((line) => /^\S+\.\*$/.test(line))
      .sort();
  /** How often systemd has started the daemon. */
  const starts = async (): Promise<number> =>
    (await rpm.host.journal("docker.service")).split("]: Starting docker.service").length - 1;
  const ours = (): Promise<string> => rpm.host.must(["find", "/etc", "-name", "*slipway*"]);
  const engineLocks = (version: string): readonly string[] => [
    `docker-ce-3:${version}-1.el9.*`,
    `docker-ce-cli-1:${version}-1.el9.*`,
  ];

  it("must trust nothing when the key is another one", async () => {
    const refusal = new RegExp(`has the fingerprint .*, not ${rpm.fingerprint}\\. Nothing was trusted`);
    await assert.rejects(create(inputs("26.x", {}, { key: rpm.keys.other })), refusal);
    assert.equal(await ours(), "");
  });

  it("must leave dnf as it was when the source cannot be read", async () => {
    const url = "file:///srv/nowhere";
    const refusal = /reading the package source file:\/\/\/srv\/nowhere .*The package source was taken off/s;
    await assert.rejects(create(inputs("26.x", {}, { url })), refusal);
    assert.equal(await ours(), "");
  });

  it("must install nothing that another key signed", async () => {
    await assert.rejects(create(inputs("26.x", {}, { url: rpm.otherUrl })), (error) => {
      assert.ok(error instanceof PartialFailure && isSlipwayError(error.cause, "engine-install-failed"));
      assert.match(error.cause.parts.evidence ?? "", /GPG/);
      return true;
    });
    assert.equal((await rpm.host.exec(["which", "dockerd", "docker"])).stdout, "");
  });

  it("must wait while another one changes packages, and say who does", async () => {
    const lock = await holdPackageLock(rpm.host, "/var/lib/rpm/.rpm.lock", "dnf");
    let waiting = "";
    let released: Promise<void> | undefined;
    const listening = labContext((line) => {
      if (!line.includes("waiting for")) return;
      waiting = line;
      released ??= lock.release();
    });
    const refusal = { code: "engine-version-unavailable" };
    await assert.rejects(handler.create(inputs("99.0.0"), listening), refusal);
    await released;
    assert.match(waiting, /: waiting for dnf \(process \d+\), which holds the package manager's lock$/);
  });

  it("must list what the source offers when the version is not among it", async () => {
    await assert.rejects(
      create(inputs("27.0.0")),
      /no such version of docker-ce; it offers 28\.5\.\d+, 26\.1\.5\. No engine runs there/,
    );
  });

  it("must take nothing of others along", async () => {
    await rpm.host.must(["sh", "-ec", makeOthers("runc 1.1 - oci-runtime", "podman 4.9 oci-runtime")]);
    const along = /that would remove podman, which need runc\. No package was changed/;
    const adopt = /runc cannot stay beside docker-ce and would be removed.*Set adopt: true/s;
    await assert.rejects(create(inputs("26.x", { adopt: true })), along);
    assert.match(await rpm.host.must(["rpm", "-q", "runc", "podman"]), /^runc-1\.1-1\S*\npodman-4\.9-1/);
    await rpm.host.must(["rpm", "-e", "podman"]);
    await assert.rejects(create(inputs("26.x")), adopt);
    await rpm.host.must(["rpm", "-q", "runc"]);
    assert.equal((await rpm.host.exec(["which", "dockerd", "docker"])).stdout, "");
  });

  it("must install the highest version of a range, running and held, for a part of another engine that it may replace", async () => {
    outputs = await create(inputs("26.x", { adopt: true }));
    assert.match((await rpm.host.exec(["rpm", "-q", "runc"])).stdout, /not installed/);
    assert.equal(outputs.version, "26.1.5");
    assert.equal(await running(), "26.1.5");
    assert.deepEqual(outputs.drift, []);
    assert.equal((outputs.packages as Properties)["docker-ce"], "3:26.1.5-1.el9");
    const held = await locks();
    assert.equal(held.length, 5);
    for (const lock of engineLocks("26.1.5")) assert.ok(held.includes(lock), lock);
  });

  it("must change nothing the second time", async () => {
    lines.length = 0;
    await update(inputs("26.1.5"));
    assert.deepEqual(lines, []);
    assert.deepEqual(outputs.drift, []);
  });

  it("must be held against an upgrade of everything", async () => {
    await rpm.host.must(["dnf", "-y", "-q", "upgrade"]);
    assert.match(await rpm.host.must(["rpm", "-q", "docker-ce"]), /^docker-ce-26\.1\.5-1\.el9/);
  });

  it("must lock again what was locked when an installation fails", async () => {
    const before = await locks();
    const news = inputs("28.x", CONSENT, { url: rpm.otherUrl });
    await assert.rejects(update(news), /installing docker-ce .*exit code 1/s);
    assert.deepEqual(await locks(), before);
    assert.equal(await running(), "26.1.5");
  });

  it("must refuse an upgrade that nobody allowed, and do an allowed one with one restart", async () => {
    await assert.rejects(update(inputs("28.x")), /allowDaemonRestart: true/);
    assert.equal(await running(), "26.1.5");
    const before = await starts();
    await update(inputs("28.x", CONSENT));
    assert.equal(await starts(), before + 1);
    const version = String(outputs.version);
    assert.match(version, /^28\.5\./);
    assert.equal(await running(), version);
    const held = await locks();
    for (const lock of engineLocks(version)) assert.ok(held.includes(lock), lock);
    assert.equal(held.length, 5);
  });

  it("must put back a lock that somebody took off", async () => {
    await rpm.host.must(["dnf", "-q", "versionlock", "delete", "docker-ce"]);
    const seen = await handler.read("id", outputs, context);
    assert.deepEqual(seen?.outputs.drift, ["hold docker-ce: the hold was lost"]);
    outputs = seen.outputs;
    await update(inputs("28.x"));
    assert.deepEqual(outputs.drift, []);
  });

  it("must go down again when that is allowed", async () => {
    await assert.rejects(update(inputs("26.1.5", { allowDaemonRestart: true })), /allowDowngrade: true/);
    await update(inputs("26.1.5", CONSENT));
    assert.equal(await running(), "26.1.5");
    const held = await locks();
    for (const lock of engineLocks("26.1.5")) assert.ok(held.includes(lock), lock);
  });

  it("must take nothing off that others need, and name them", async () => {
    await rpm.host.must(["sh", "-ec", makeOthers("lazydocker 1 docker-ce", "ctop 1 containerd.io")]);
    const gone = { ...outputs, uninstallOnDelete: true };
    const refusal = {
      code: "engine-foreign",
      message: /it cannot go without ctop, lazydocker, which need it/,
    };
    await assert.rejects(handler.delete("id", gone, context), refusal);
    assert.equal(await running(), "26.1.5");
    await rpm.host.must(["rpm", "-q", "lazydocker", "ctop"]);
    await rpm.host.must(["rpm", "-e", "lazydocker", "ctop"]);
  });

  it("must take packages, locks and the source off again when asked to", async () => {
    await handler.delete("id", { ...outputs, uninstallOnDelete: true }, context);
    assert.equal(await ours(), "");
    assert.deepEqual(await locks(), []);
    assert.equal((await rpm.host.exec(["which", "dockerd", "docker", "containerd"])).stdout, "");
    const socket = await rpm.host.exec(["systemctl", "is-active", "docker.socket"]);
    assert.equal(socket.stdout.trim(), "inactive", "what the package's own scripts leave running");
  });

  it("must install uploaded packages where there is no source at all, running and locked", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "packages-"));
    try {
      await docker(["cp", `${rpm.host.name}:/srv/rpm/x86_64/.`, folder]);
      const parts = ["docker-ce-26.1.5-", "docker-ce-cli-26.1.5-", "containerd.io-1.7."];
      const files = parts.map((start) => {
        const [name = ""] = readdirSync(folder).filter((each) => each.startsWith(start));
        const file = path.join(folder, name);
        return { path: file, sha256: createHash("sha256").update(readFileSync(file)).digest("hex") };
      });
      const given = { ...inputs("26.x"), source: { files } };
      const named = files.filter((file) => !file.path.includes("containerd"));
      await assert.rejects(create({ ...given, source: { files: named } }), /containerd\.io >= 1\.6\.24/);
      outputs = await create(given);
      assert.deepEqual([outputs.version, outputs.drift], ["26.1.5", []]);
      assert.equal(await running(), "26.1.5");
      assert.equal((await locks()).length, 3);
      assert.equal((await rpm.host.exec(["ls", "-A", "/var/lib/slipway"])).stdout, "");
      lines.length = 0;
      await update(given);
      assert.deepEqual(lines, []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** sh text that makes packages without files, `NAME VERSION NEEDED PROVIDED` each, and installs them, as others have them. */
function makeOthers(...packages: readonly string[]): string {
  return `
cd "$(mktemp -d)"
make() {
  {
    printf 'Name: %s\\nVersion: %s\\nRelease: 1\\nSummary: x\\nLicense: x\\nBuildArch: noarch\\n' "$1" "$2"
    [ "$3" = - ] || echo "Requires: $3"
    [ -z "$4" ] || echo "Provides: $4"
    printf '%%description\\nx\\n%%files\\n'
  } >"$1.spec"
  rpmbuild --quiet -bb --define "_rpmdir $PWD" --define "_topdir $PWD" "$1.spec"
}
${packages.map((words) => `make ${words}`).join("\n")}
rpm -i noarch/*.rpm
`;
}
