import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { closeConnections } from "../../provider/host/pool";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import {
  foreignEnginesImage,
  installPodmanDocker,
  rootlessVersion,
  startRootlessEngine,
} from "../lab/foreign-engines";
import { type DockerSite, startDockerSite } from "../support/docker-site";

const STATE = `dpkg-query -W; apt-mark showhold
find /etc/apt /etc/docker /var/lib/docker /usr/bin/docker -ls 2>/dev/null | sort -k 11`;

describe("DockerHost where Docker came another way", function () {
  this.timeout(180_000);
  let repository: DockerRepository;
  let site: DockerSite;

  before(async () => {
    repository = await startDockerRepository();
    site = await startDockerSite(repository, await foreignEnginesImage());
  });
  after(async () => {
    closeConnections();
    await site.host.remove();
    await repository.remove();
  });

  /** Packages, and the files that belong to a Docker or to its source. */
  const state = (): Promise<string> => site.host.must(["sh", "-c", STATE]);

  /** Preview and up say it, and nothing happens. */
  const mustRefuse = async (...engines: readonly string[]): Promise<void> => {
    const before = await state();
    const cause = engines.map((engine) => `Docker came there another way (${engine})`).join("; ");
    site.lines.splice(0);
    await handler.check({}, site.inputs("28.x"), site.context());
    const said = site.lines.join("\n");
    assert.match(said, /install docker-ce=5:28\./);
    assert.ok(said.includes(`will be refused without adopt: true: ${cause}`), said);
    await assert.rejects(handler.create(site.inputs("28.x"), site.context()), (error: Error) => {
      const next = "Nothing was changed on the host. Set adopt: true on this DockerHost to allow it.";
      assert.ok(error.message.endsWith(`: ${cause}. ${next}`), error.message);
      return true;
    });
    assert.equal(await state(), before);
  };

  it("must be refused beside a user's rootless engine", async () => {
    await startRootlessEngine(site.host);
    await mustRefuse("the rootless engine of plain");
    assert.equal(await rootlessVersion(site.host), "26.1.5");
  });

  it("must be refused where docker is podman", async () => {
    await installPodmanDocker(site.host);
    await mustRefuse("podman-docker", "the rootless engine of plain");
  });

  it("must leave podman and the rootless engine as they are when it is told to come", async () => {
    const rootless = await site.host.must(["pgrep", "-x", "-u", "plain", "dockerd"]);
    const outputs = await site.up(site.inputs("28.x", { adopt: true }));
    assert.equal(outputs.version, await site.running());
    assert.match(outputs.version, /^28\./);
    assert.deepEqual(outputs.drift, []);
    const status = ["dpkg-query", "-W", "-f", "${db:Status-Status}"];
    assert.equal(await site.host.must([...status, "podman-docker"]), "config-files");
    assert.equal(await site.host.must([...status, "podman"]), "installed");
    assert.equal(await site.host.must(["pgrep", "-x", "-u", "plain", "dockerd"]), rootless);
    assert.equal(await rootlessVersion(site.host), "26.1.5");
    const said = site.lines.join("\n");
    assert.match(said, /images and volumes of podman stay with podman/);
    assert.match(said, /the rootless Docker of plain goes on beside this one/);
    assert.deepEqual((await site.refresh()).drift, []);
  });
});
