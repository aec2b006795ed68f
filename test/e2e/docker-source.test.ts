import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { holdPackageLock } from "../lab/package-lock";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import { CONSENT, type DockerSite, PACKAGES, startDockerSite } from "../support/docker-site";

describe("DockerHost from a package source of its own", function () {
  this.timeout(180_000);
  let repository: DockerRepository;
  let site: DockerSite;

  before(async () => {
    repository = await startDockerRepository();
    site = await startDockerSite(repository);
  });
  after(async () => {
    closeConnections();
    await site.host.remove();
    await repository.remove();
  });

  const up = (dockerVersion: string, more?: Properties, source?: Properties): Promise<Properties> =>
    site.up(site.inputs(dockerVersion, more, source));
  const dockerd = (): Promise<string> =>
    site.host.exec(["which", "dockerd", "docker", "containerd"]).then(({ stdout }) => stdout);

  it("must trust nothing when the key is another one, or comes with another one", async () => {
    const { keys, fingerprint } = repository;
    const refusal = new RegExp(
      `(has the fingerprint .*, not ${fingerprint}|not a readable OpenPGP key).*Nothing was trusted`,
      "s",
    );
    for (const key of [keys.other, keys.both, keys.hidden])
      await assert.rejects(up("26.x", {}, { key }), refusal);
    assert.equal(await site.ours(), "");
    assert.equal(await dockerd(), "");
  });

  it("must trust nothing when Docker's own key cannot be fetched", async () => {
    await site.host.must(["sh", "-c", "echo 127.0.0.1 download.docker.com >>/etc/hosts"]);
    await assert.rejects(
      handler.create({ ...site.inputs("26.x"), source: "docker" }, site.context()),
      /https:\/\/download\.docker\.com\/linux\/debian\/gpg could not be read \(exit code 7\).*Nothing was trusted/s,
    );
    assert.equal(await site.ours(), "");
  });

  it("must leave apt as it was when the source cannot be read, or is down", async () => {
    const refusal =
      /reading the package source .*exit code 100.*The package source was taken off the host again/s;
    const key = await site.host.must(["curl", "-s", repository.keys.right]);
    await assert.rejects(up("26.x", {}, { url: `${repository.url}/nowhere`, key }), refusal);
    await repository.stop();
    await assert.rejects(up("26.x", {}, { key }), refusal);
    await assert.rejects(up("26.x"), /right\.asc could not be read \(exit code 7\).*Nothing was trusted/s);
    await repository.start();
    assert.equal(await site.ours(), "");
  });

  it("must wait while another one reads the package lists, and say who does", async () => {
    const lock = await holdPackageLock(site.host, "/var/lib/apt/lists/lock", "apt-get");
    let waiting = "";
    let released: Promise<void> | undefined;
    const context = site.context("e2e", (line) => {
      if (!line.includes("waiting for")) return;
      waiting = line;
      released ??= lock.release();
    });
    await assert.rejects(site.up(site.inputs("99.0.0"), context), { code: "engine-version-unavailable" });
    await released;
    assert.match(waiting, /: waiting for apt-get \(process \d+\), which holds the package manager's lock$/);
  });

  it("must list what the source offers when the version is not among it", async () => {
    const [old, middle, recent] = repository.engines;
    const offered = `no such version of docker-ce; it offers ${recent}, 27.0.1, ${middle}, ${old}. No engine runs there`;
    await assert.rejects(up("99.0.0"), (error: Error) => error.message.includes(offered));
  });

  /** Packages without files, as others have them. */
  const FAKE = `
cd "$(mktemp -d)"
make() {
  mkdir -p "$1/DEBIAN"
  printf 'Package: %s\\nVersion: 1.6\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n%s' "$1" "$2" >"$1/DEBIAN/control"
  dpkg-deb -b "$1" && dpkg -i "$1.deb"
}
make containerd ''
make kubelet 'Depends: containerd (>= 1.5)
'
`;
  const look = (): Promise<unknown> => handler.check({}, site.inputs("26.x"), site.context());

  it("must take nothing of others along, and say so beforehand", async () => {
    await handler.delete("id", { ...site.inputs("26.x"), uninstallOnDelete: true }, site.context());
    await site.host.must(["sh", "-ec", FAKE]);
    const along = /that would remove kubelet, which need containerd\. No package was changed/;
    const adopt = /will be refused without adopt: true: containerd cannot stay beside docker-ce/;
    site.lines.length = 0;
    await look();
    assert.match(site.lines.join("\n"), adopt);
    await assert.rejects(up("26.x", { adopt: true }), along);
    site.lines.length = 0;
    await look(); // by now the machine knows the source
    assert.match(site.lines.join("\n"), along);
    await site.host.must(["dpkg", "-r", "kubelet"]);
    site.lines.length = 0;
    await look();
    assert.match(site.lines.join("\n"), adopt);
    await assert.rejects(up("26.x"), /containerd cannot stay beside docker-ce.*Set adopt: true/s);
    assert.equal(await site.host.must(["dpkg-query", "-W", "containerd"]), "containerd\t1.6");
    await site.host.must(["dpkg", "-P", "containerd", "kubelet"]);
    assert.equal(await dockerd(), "");
  });

  it("must install the highest version of a range with parts that fit, running and held, though another source is broken", async () => {
    const [, , recent] = repository.engines;
    const broken = "echo 'deb file:/nowhere trixie main' >/etc/apt/sources.list.d/broken.list";
    await site.host.must(["sh", "-c", broken]);
    const outputs = await up(">=20.10");
    assert.match(site.lines.join("\n"), /has another package source that cannot be read/);
    assert.doesNotMatch(site.lines.join("\n"), /Operation refused|Could not execute/);
    assert.equal(outputs.version, recent);
    assert.equal(await site.running(), recent);
    assert.deepEqual(outputs.drift, []);
    assert.deepEqual(outputs.packages, {
      "containerd.io": `${repository.containerds[2]}-1~debian.13~trixie`,
      "docker-buildx-plugin": "0.29.1-1~debian.13~trixie",
      "docker-ce": `5:${recent}-1~debian.13~trixie`,
      "docker-ce-cli": `5:${recent}-1~debian.13~trixie`,
      "docker-compose-plugin": "2.40.3-1~debian.13~trixie",
    });
    assert.deepEqual(await site.held(), PACKAGES);
    assert.equal(await site.starts(), 1);
  });

  it("must change nothing the second time, nor when the version that runs is named", async () => {
    const outputs = site.outputs();
    const [, , recent] = repository.engines;
    site.lines.length = 0;
    assert.deepEqual((await handler.create(site.inputs(">=20.10"), site.context())).outputs, outputs);
    await up(recent);
    await up("28.x");
    assert.deepEqual(site.lines, []);
    const diff = await handler.diff("id", site.outputs(), site.inputs("28.x"), site.context());
    assert.equal(diff.changes, undefined);
  });

  it("must write the source that the program changed though the version fits, and see one that somebody changed", async () => {
    const [, , recent] = repository.engines;
    const file = "/etc/apt/sources.list.d/slipway-docker.sources";
    const change = `add the package source ${repository.url}/: it has changed`;
    const outputs = site.outputs();
    const mirror = { url: `${repository.url}/` };
    site.lines.length = 0;
    await handler.diff("id", outputs, site.inputs("28.x", {}, mirror), site.context());
    assert.ok(site.lines.join("\n").includes(change));
    await up("28.x", {}, mirror);
    assert.ok((await site.host.must(["cat", file])).includes(`URIs: ${repository.url}/\n`));
    const former = await site.host.must(["cat", file]);
    const nowhere = up("28.x", {}, { url: `${repository.url}/nowhere` });
    await assert.rejects(nowhere, /exit code 100.*The former package source is there again/s);
    assert.equal(await site.host.must(["cat", file]), former);
    await site.host.must(["sed", "-i", "s/^Suites:.*/Suites: other/", file]);
    assert.deepEqual((await site.refresh()).drift, [change]);
    assert.deepEqual((await up("28.x", {}, mirror)).drift, []);
    await up("28.x");
    assert.deepEqual(site.outputs(), outputs);
    assert.deepEqual([await site.running(), await site.starts()], [recent, 0]);
  });

  it("must name its source when that is down, and leave all as it is", async () => {
    const [, middle, recent] = repository.engines;
    await repository.stop();
    const refusal = new RegExp(`reading the package source ${repository.url} .*exit code 100`, "s");
    await assert.rejects(up(middle, CONSENT), refusal);
    await repository.start();
    assert.deepEqual([await site.running(), await site.starts()], [recent, 0]);
    assert.match(await site.ours(), /slipway-docker\.sources/);
  });

  it("must fail when a package brings another daemon than it says, and get back from there", async () => {
    const [, middle] = repository.engines;
    await assert.rejects(up("27.0.1", CONSENT), (error) => {
      assert.ok(error instanceof PartialFailure);
      assert.ok(error.message.includes(`${middle} runs, 27.0.1 was to run`));
      return true;
    });
    assert.equal(site.outputs().version, middle);
    const refusal = new RegExp(`going from 27\\.0\\.1 to ${middle} is a downgrade`);
    await assert.rejects(up(middle, { allowDaemonRestart: true }), refusal);
    const outputs = await up(middle, CONSENT);
    assert.equal((outputs.packages as Properties)["docker-ce"], `5:${middle}-1~debian.13~trixie`);
    assert.deepEqual([outputs.version, outputs.drift], [middle, []]);
    assert.deepEqual(await site.held(), PACKAGES);
  });

  it("must take the packages and their source off again when asked to", async () => {
    await handler.delete("id", { ...site.outputs(), uninstallOnDelete: true }, site.context());
    assert.equal(await site.ours(), "");
    assert.deepEqual(await site.held(), []);
    assert.equal(await dockerd(), "");
  });
});
