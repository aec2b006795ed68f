import assert from "node:assert/strict";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import type { LabHost } from "../lab/lab-host";
import { bareDockerHost } from "../support/docker-site";
import { ExampleProject, labConnectionConfig } from "../support/example-project";

const FLEET = ["first", "second", "third"] as const;
type Name = (typeof FLEET)[number];

/** The example, as a user would run it, on three machines and a mirror. */
describe("a fleet of DockerHosts", function () {
  this.timeout(180_000);
  let repository: DockerRepository;
  let hosts: Readonly<Record<Name, LabHost>>;
  let project: ExampleProject;

  before(async () => {
    repository = await startDockerRepository();
    const [first, second, third] = await Promise.all([bareDockerHost(), bareDockerHost(), bareDockerHost()]);
    hosts = { first, second, third };
    project = await ExampleProject.of("fleet");
    const { url, keys, fingerprint } = repository;
    await project.stack.configure({
      mirror: JSON.stringify({ url, key: keys.right, keyFingerprint: fingerprint }),
      dockerUsers: JSON.stringify(["deploy"]),
    });
  });
  after(async () => {
    await project.remove();
    await Promise.all(FLEET.map((name) => hosts[name].remove()));
    await repository.remove();
  });

  /** `own`: versions of machines that are not to have the fleet's. */
  const up = async (fleet: string, parallelism: number, own: Partial<Record<Name, string>> = {}) => {
    const places = FLEET.map((name) => {
      const connection = labConnectionConfig(hosts[name], "deploy");
      return { ...connection, ...(own[name] === undefined ? {} : { dockerVersion: own[name] }) };
    });
    const config = { hosts: JSON.stringify(places), dockerVersion: fleet, parallelism: String(parallelism) };
    await project.stack.configure(config);
    return project.stack.up();
  };
  const each = <T>(ask: (host: LabHost) => Promise<T>): Promise<readonly T[]> =>
    Promise.all(FLEET.map((name) => ask(hosts[name])));
  const running = (host: LabHost): Promise<string> =>
    host
      .must(["docker", "version", "--format", "{{.Server.Version}}"])
      .then((text) => text.split("+")[0] ?? "");
  /** When the engine's files were laid down, and when its daemon was started since; all machines have one clock. */
  const change = async (name: Name): Promise<{ readonly begun: number; readonly done: number }> => {
    const stat = ["stat", "-c", "%.9Z", "/usr/bin/dockerd", "/run/docker.pid"];
    const [begun = 0, done = 0] = (await hosts[name].must(stat)).split("\n").map(Number);
    assert.ok(begun < done);
    return { begun, done };
  };
  /** Process and start of the daemon, its packages, and how often somebody logged in. */
  const state = async (host: LabHost): Promise<string> => {
    const daemon = await host.must([
      "systemctl",
      "show",
      "-p",
      "MainPID,ActiveEnterTimestampMonotonic",
      "docker",
    ]);
    return `${daemon}\n${await host.must(["dpkg-query", "-W", "docker*", "containerd*"])}\n${(await host.logins()).length}`;
  };
  const target = (name: Name): string => `deploy@127.0.0.1:${hosts[name].sshPort}`;

  it("must be set up from a mirror, configured and open to its users, as many at a time as allowed", async () => {
    const [, middle] = repository.engines;
    const run = await up("26.x", 3);
    assert.equal(run.code, 0, run.output);
    assert.deepEqual(await each(running), [middle, middle, middle]);
    const config = { "live-restore": true, "log-driver": "local", "log-opts": { "max-size": "20m" } };
    for (const text of await each((host) => host.must(["cat", "/etc/docker/daemon.json"])))
      assert.deepEqual(JSON.parse(text), config);
    const asDeploy = (host: LabHost) => host.must(["docker", "ps", "-q"], { user: "deploy" });
    assert.deepEqual(await each(asDeploy), ["", "", ""]);
  });

  it("must end at the first host that does not come back well, and leave those behind it alone", async () => {
    const [, middle, recent] = repository.engines;
    const before = await state(hosts.third);
    const run = await up("28.x", 1, { second: "27.0.1" });
    assert.notEqual(run.code, 0);
    const said = `verifying the Docker version on ${target("second")}: ${middle} runs, 27.0.1 was to run.`;
    assert.ok(run.output.includes(said), run.output);
    assert.ok(
      run.output.includes(`Of the other hosts of this run: ${recent} on ${target("first")}.`),
      run.output,
    );
    assert.deepEqual(await each(running), [recent, middle, middle]);
    assert.equal(await state(hosts.third), before);
    assert.ok((await change("first")).done < (await change("second")).begun);
  });

  it("must go on where it ended, one after another, when the cause is gone", async () => {
    const [, , recent] = repository.engines;
    const before = await hosts.first.must(["systemctl", "show", "-p", "MainPID", "docker"]);
    const run = await up("28.x", 1);
    assert.equal(run.code, 0, run.output);
    assert.deepEqual(await each(running), [recent, recent, recent]);
    assert.equal(await hosts.first.must(["systemctl", "show", "-p", "MainPID", "docker"]), before);
    assert.ok((await change("second")).done < (await change("third")).begun);
    const again = await project.stack.up({ args: ["--expect-no-changes"] });
    assert.equal(again.code, 0, again.output);
  });
});
