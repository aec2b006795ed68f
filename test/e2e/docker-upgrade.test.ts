import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import { startProbe } from "../lab/probe";
import { until } from "../lab/until";
import { CONSENT, type DockerSite, PACKAGES, startDockerSite } from "../support/docker-site";
import { buildPage, preparePages } from "../support/web-host";

describe("DockerHost with containers that go on", function () {
  this.timeout(180_000);
  let repository: DockerRepository;
  let site: DockerSite;
  let middle: string;
  let recent: string;

  before(async () => {
    repository = await startDockerRepository();
    [, middle, recent] = repository.engines;
    site = await startDockerSite(repository);
  });
  after(async () => {
    closeConnections();
    await site.host.remove();
    await repository.remove();
  });

  const up = (dockerVersion: string, more?: Properties): Promise<Properties> =>
    site.up(site.inputs(dockerVersion, more));
  /** Name, id, process and start of every container. */
  const containers = (): Promise<string> => {
    const format = "{{.Name}} {{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.State.Running}}";
    return site.host.must(["sh", "-c", `docker inspect -f '${format}' $(docker ps -aq --no-trunc) | sort`]);
  };
  /** Asks a published port from outside, each time over a connection of its own, while something is done. */
  const served = async (work: () => Promise<unknown>): Promise<void> => {
    const probe = startProbe(site.host.url(80), { perSecond: 50, timeoutMs: 10_000 });
    await work().finally(() => probe.stop());
    const { failed, requests, firstFailure } = await probe.stop();
    assert.deepEqual({ failed, firstFailure }, { failed: 0, firstFailure: undefined });
    assert.ok(requests > 50);
    assert.doesNotMatch(await site.host.must(["iptables-save"]), /SLIPWAY/);
  };
  const versions = (engine: string, containerd: string): readonly string[] => [
    `containerd.io ${containerd}`,
    "docker-buildx-plugin 0.29.1-1~debian.13~trixie",
    `docker-ce 5:${engine}-1~debian.13~trixie`,
    `docker-ce-cli 5:${engine}-1~debian.13~trixie`,
    "docker-compose-plugin 2.40.3-1~debian.13~trixie",
  ];
  const older = (): readonly string[] => versions(middle, `${repository.containerds[1]}-1`);

  it("must install exactly the pinned version, with parts that fit, and start it once", async () => {
    const outputs = await up(middle);
    assert.equal(outputs.version, middle);
    assert.equal(await site.running(), middle);
    assert.deepEqual(await site.installed(), older());
    assert.deepEqual(await site.held(), PACKAGES);
    assert.equal(await site.starts(), 1);
  });

  it("must hold the packages against an upgrade of the whole machine", async () => {
    await preparePages(site.host);
    await buildPage(site.host, "one");
    for (const port of ["80", "8080"]) {
      await site.host.must(["docker", "run", "-d", "--name", `web${port}`, "-p", `${port}:3000`, "page:one"]);
    }
    await site.host.must(["docker", "run", "-d", "--name", "apart", "--restart", "always", "page:one"]);
    await until("the page", () =>
      fetch(site.host.url(80)).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    const before = await containers();
    assert.match(
      await site.host.must(["apt-get", "-s", "--ignore-hold", "upgrade"]),
      new RegExp(`Inst docker-ce .*${recent}`),
    );
    await site.host.must(["sh", "-c", "apt-get update && apt-get -y upgrade && apt-get -y dist-upgrade"]);
    assert.deepEqual(await site.installed(), older());
    assert.equal(await containers(), before);
  });

  it("must refuse an upgrade that restarts the daemon when nobody allowed it", async () => {
    await assert.rejects(up(recent), /Set allowDaemonRestart: true/);
    assert.deepEqual(await site.installed(), older());
    assert.equal(await site.running(), middle);
  });

  it("must upgrade under three containers and restart none, with one restart of the daemon", async () => {
    const before = await containers();
    await served(() => up(recent, CONSENT));
    assert.equal(await site.running(), recent);
    assert.equal(await containers(), before);
    assert.equal(await site.starts(), 1);
    assert.deepEqual(
      await site.installed(),
      versions(recent, `${repository.containerds[2]}-1~debian.13~trixie`),
    );
    assert.deepEqual(await site.held(), PACKAGES);
    assert.deepEqual(site.outputs().drift, []);
  });

  it("must refuse a downgrade that nobody allowed, and do an allowed one", async () => {
    const refusal = new RegExp(
      `${recent} to ${middle} .*Set allowDowngrade: true and allowDaemonRestart: true`,
      "s",
    );
    const diff = (): Promise<unknown> =>
      Promise.resolve(handler.diff("id", site.outputs(), site.inputs(middle), site.context()));
    await assert.rejects(diff(), refusal);
    await assert.rejects(up(middle), refusal);
    assert.equal(await site.running(), recent);
    const before = await containers();
    await site.starts();
    await served(() => up(middle, CONSENT));
    assert.equal(await site.running(), middle);
    assert.equal(await containers(), before);
    assert.equal(await site.starts(), 1);
    assert.deepEqual(await site.held(), PACKAGES);
  });

  it("must see a package that is newer than the daemon, and restart it only when allowed", async () => {
    const upgrade = `printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
      apt-get -y --allow-change-held-packages install docker-ce docker-ce-cli && rm /usr/sbin/policy-rc.d`;
    await site.host.must(["sh", "-c", upgrade]);
    assert.deepEqual([await site.running(), await site.starts()], [middle, 0]);
    await assert.rejects(up(recent), /Set allowDaemonRestart: true/);
    assert.equal(await site.starts(), 0);
    const before = await containers();
    await up(recent, CONSENT);
    assert.equal(await site.running(), recent);
    assert.equal(await containers(), before);
    assert.equal(await site.starts(), 1);
  });

  it("must refuse a daemon that somebody masked, and name what to do", async () => {
    const units = ["docker.service", "docker.socket"];
    await site.host.must(["systemctl", "mask", "--quiet", "--now", ...units]);
    const { version, drift } = await site.refresh();
    assert.equal(version, "");
    assert.match(String(drift), /docker\.service, docker\.socket are masked/);
    await assert.rejects(
      up(recent, CONSENT),
      /Run `systemctl unmask docker\.service docker\.socket` on the host/,
    );
    assert.equal(await site.starts(), 0);
    await site.host.must(["systemctl", "unmask", "--quiet", ...units]);
    assert.deepEqual([(await up(recent)).version, await site.running()], [recent, recent]);
  });
});
