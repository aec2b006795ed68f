import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { busyboxPath } from "../lab/busybox";
import { docker } from "../lab/docker";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import { CONSENT, type DockerSite, startDockerSite } from "../support/docker-site";

describe("a preview of DockerHost", () => {
  let repository: DockerRepository;
  let site: DockerSite;

  before(async function () {
    this.timeout(600_000);
    repository = await startDockerRepository();
    site = await startDockerSite(repository);
  });
  after(async () => {
    closeConnections();
    await site.host.remove();
    await repository.remove();
  });
  beforeEach(() => void site.lines.splice(0));

  const check = (inputs: Properties) => handler.check({}, inputs, site.context());
  const diff = (inputs: Properties) => handler.diff("id", site.outputs(), inputs, site.context());
  const said = (): string => site.lines.join("\n");
  /** What sudo wrote down on the machine. */
  const sudoCalls = () =>
    site.host.must(["sh", "-c", "journalctl -q -o cat _COMM=sudo | grep -c COMMAND= || true"]);

  it("must name the exact packages for a bare machine, and touch nothing there", async function () {
    this.timeout(60_000);
    const [, middle] = repository.engines;
    await check(site.inputs(`~${middle}`));
    assert.match(
      said(),
      new RegExp(`install docker-ce=5:${middle}-1~debian.13~trixie docker-ce-cli=5:${middle}`),
    );
    assert.match(said(), /containerd\.io=\d/);
    assert.match(
      said(),
      /^ {2}add the package source .*: the host does not know it\n {2}install docker-ce=/m,
    );
    assert.equal(await site.ours(), "");
  });

  it("must say that a user who cannot become root will be refused, and not those who can", async function () {
    this.timeout(60_000);
    const inputs = site.inputs("28.x");
    await check({ ...inputs, connection: site.host.connection("plain") });
    assert.match(said(), /will be refused: setting up Docker on plain@.* is not root and cannot become root/);
    site.lines.splice(0);
    await check(inputs);
    assert.doesNotMatch(said(), /will be refused/);
  });

  it("must say that a version is not offered, and what is", async function () {
    this.timeout(60_000);
    await check(site.inputs("99.0.0"));
    assert.match(said(), new RegExp(`will be refused: .*it offers ${repository.engines[2]}`));
  });

  it("must say that the key of a repository is another one than the program names", async function () {
    this.timeout(60_000);
    await check(site.inputs(repository.engines[1], {}, { key: repository.keys.other }));
    assert.match(said(), /will be refused: trusting the package source .*its key has the fingerprint/);
    assert.equal(await site.ours(), "");
  });

  it("must name the exact packages of an upgrade, and the consent that is missing", async function () {
    this.timeout(300_000);
    const [, middle, recent] = repository.engines;
    await site.up(site.inputs(middle, { dockerUsers: ["deploy"] }));
    site.lines.splice(0);
    await diff(site.inputs(recent, { dockerUsers: ["deploy"], ...CONSENT }));
    assert.match(said(), new RegExp(`install docker-ce=5:${recent}-1~debian.13~trixie`));
    site.lines.splice(0);
    await assert.rejects(diff(site.inputs("28.x")), {
      code: "engine-consent",
      message: /allowDaemonRestart: true/,
    });
    assert.match(said(), new RegExp(`install docker-ce=5:${recent}-1~debian.13~trixie`));
    site.lines.splice(0);
    // a key that somebody else changed is seen on the machine alone
    await diff(site.inputs(middle, { dockerUsers: ["deploy"], daemonConfig: { labels: ["a=b"] } }));
    assert.match(said(), /set labels in daemon\.json/);
    assert.doesNotMatch(said(), /will be refused/);
    // what stands there already needs nothing, though the state does not know it
    const file = "/etc/docker/daemon.json";
    await site.host.must(["sed", "-i.lab", '0,/{/s//{"mtu": 1400,/', file]);
    const allowed = { dockerUsers: ["deploy"], daemonConfig: { mtu: 1400 } };
    assert.equal((await diff(site.inputs(middle, allowed))).changes, undefined);
    await site.host.must(["mv", `${file}.lab`, file]);
    await assert.rejects(diff(site.inputs(middle, allowed)), { code: "engine-consent", message: /mtu/ });
    assert.equal(await site.running(), middle);
  });

  it("must look without sudo where the user is in the docker group", async function () {
    this.timeout(60_000);
    closeConnections(); // the group counts from the next login on
    const before = await sudoCalls();
    assert.ok(Number(before) > 0, "sudo's calls are not in the journal");
    const seen = await handler.read("id", site.outputs(), site.context());
    assert.deepEqual(seen?.outputs.drift, []);
    assert.equal(await sudoCalls(), before);
    assert.deepEqual(seen.outputs, site.outputs());
  });

  it("must put back what somebody took away, though a refresh saw it meanwhile", async function () {
    this.timeout(180_000);
    const [, middle] = repository.engines;
    const name = "docker-buildx-plugin";
    await site.host.must(["apt-get", "-y", "--allow-change-held-packages", "remove", name]);
    assert.match(String((await site.refresh()).drift), new RegExp(`${name} is gone`));
    assert.match(String((await site.refresh()).drift), new RegExp(`${name} is gone`));
    await site.up(site.inputs(middle, { dockerUsers: ["deploy"] }));
    assert.match((await site.installed()).join(), new RegExp(name));
    assert.deepEqual(site.outputs().drift, []);
  });

  it("must say what is known where the machine does not answer", async function () {
    this.timeout(60_000);
    const [, middle, recent] = repository.engines;
    closeConnections();
    await site.host.stop();
    await diff(site.inputs(recent, { dockerUsers: ["deploy"], ...CONSENT }));
    assert.match(
      said(),
      new RegExp(
        `could not look at .*Docker ${middle} ran there .*docker-ce 5:${middle}.*${recent} is wanted`,
      ),
    );
    await site.host.start();
  });

  it("must leave nothing behind when it is purged with what runs there", async function () {
    this.timeout(180_000);
    const run = ["docker", "run", "-d", "--volume", "kept:/kept", "--name", "runs", "tiny"];
    const image = `tar -C /root -c busybox | docker import -c 'ENTRYPOINT ["/busybox", "sleep", "1000000"]' -c 'STOPSIGNAL KILL' - tiny`;
    await docker(["cp", await busyboxPath(), `${site.host.name}:/root/busybox`]);
    await site.host.must(["sh", "-ec", `{ ${image}; } >/dev/null`]);
    await site.host.must(run);
    await site.host.must(["docker", "run", "-d", "--name", "rests", "tiny"]);
    await site.host.must(["docker", "pause", "rests"]);
    const outputs = { ...site.outputs(), uninstallOnDelete: true, purge: true };
    await handler.delete("id", outputs, site.context());
    // in the lab both folders are mounts, which are emptied
    const files = "find /var/lib/docker /var/lib/containerd -mindepth 1";
    const left = `${files}; apt-mark showhold; pgrep -x containerd-shim; command -v dockerd`;
    assert.equal((await site.host.exec(["sh", "-c", left])).stdout, "");
    assert.match(said(), /2 containers on .* are stopped/);
  });
});
