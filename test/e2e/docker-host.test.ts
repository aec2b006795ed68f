import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import { dockerHostHandler } from "../../provider/docker-host/handler";
import type { HandlerContext, Properties } from "../../provider/handler";
import { startDockerRepository } from "../lab/docker-repository";
import { type LabHost, type LabUser, startLabHost, type Suite } from "../lab/lab-host";
import { buildPage, preparePages } from "../support/web-host";

const CASES: readonly { readonly suite: Suite; readonly user: LabUser; readonly version: string }[] = [
  { suite: "bookworm", user: "deploy", version: "20.10.24" },
  { suite: "trixie", user: "root", version: "26.1.5" },
];

describe("DockerHost on a real machine", () => {
  for (const { suite, user, version } of CASES) {
    describe(`${suite} as ${user}`, () => {
      const lines: string[] = [];
      const log = {
        progress: (line: string) => void lines.push(line),
        keep: () => {},
        warn: () => {},
        debug: () => {},
      };
      const context: HandlerContext = {
        urn: "",
        name: "host",
        log,
        clock: systemClock,
        random: Math.random,
        signal: new AbortController().signal,
        holder: "e2e",
        stack: "p/s",
      };
      let host: LabHost;
      let inputs: Properties;
      let outputs: Properties;

      before(async function () {
        this.timeout(90_000);
        host = await startLabHost({ suite });
        inputs = { connection: host.connection(user), dockerVersion: version, source: "distro" };
      });
      after(() => host.remove());

      it("must install exactly the pinned version, running and held", async function () {
        this.timeout(240_000);
        outputs = (await dockerHostHandler.create(inputs, context)).outputs;
        assert.equal(outputs.version, version);
        assert.deepEqual(outputs.drift, []);
        const running = await host.must(["docker", "version", "--format", "{{.Server.Version}}"]);
        assert.equal(running.split("+")[0], version);
        assert.match(await host.must(["apt-mark", "showhold"]), /^docker\.io$/m);
        const config: unknown = JSON.parse(await host.must(["cat", "/etc/docker/daemon.json"]));
        assert.deepEqual(config, { "live-restore": true });
      });

      it("must change nothing the second time", async function () {
        this.timeout(30_000);
        lines.length = 0;
        assert.deepEqual((await dockerHostHandler.create(inputs, context)).outputs, outputs);
        assert.deepEqual(lines, []);
      });

      it("must list what is offered when the version is not", async function () {
        this.timeout(60_000);
        const news = { ...inputs, dockerVersion: "99.0.0", allowDaemonRestart: true };
        const offer = new RegExp(`it offers ${version.replaceAll(".", "\\.")}`);
        await assert.rejects(dockerHostHandler.update("id", outputs, news, context), offer);
      });

      it("must refuse a downgrade that nobody allowed", async function () {
        this.timeout(30_000);
        const news = { ...inputs, dockerVersion: "19.3.0" };
        await assert.rejects(dockerHostHandler.update("id", outputs, news, context), /allowDowngrade: true/);
      });

      it("must see a stopped daemon and a lost hold, and put both right", async function () {
        this.timeout(60_000);
        await host.must(["systemctl", "stop", "docker.socket", "docker.service"]);
        await host.must(["apt-mark", "unhold", "docker.io"]);
        const seen = await dockerHostHandler.read("id", outputs, context);
        assert.equal(seen?.outputs.version, "");
        assert.equal((await dockerHostHandler.diff("id", seen.outputs, inputs, context)).changes, true);
        assert.deepEqual(await dockerHostHandler.update("id", seen.outputs, inputs, context), outputs);
      });

      if (suite !== "trixie") return;

      it("must leave it beside another source's packages, and take it over with all that it has when told to", async function () {
        this.timeout(120_000);
        const repository = await startDockerRepository();
        try {
          await preparePages(host);
          const run = ["docker", "run", "-d", "--name", "web", "--restart", "always"];
          const container = await host.must([...run, await buildPage(host, "one")]);
          const { url, keys, fingerprint } = repository;
          const source = { url, suite, key: keys.right, keyFingerprint: fingerprint };
          const other = { ...inputs, source };
          await assert.rejects(dockerHostHandler.create(other, context), /\(docker\.io\).*Set adopt: true/s);
          const before = await host.must([
            "docker",
            "inspect",
            "-f",
            "{{.State.Pid}} {{.State.StartedAt}}",
            "web",
          ]);
          assert.match(await host.must(["dpkg-query", "-W", "docker.io"]), /26\.1\.5/);
          const consent = { adopt: true, allowDaemonRestart: true };
          const adopted = (await dockerHostHandler.create({ ...other, ...consent }, context)).outputs;
          assert.deepEqual([adopted.version, adopted.drift], [version, []]);
          assert.equal(
            (await host.exec(["dpkg-query", "-W", "-f", "${db:Status-Status}", "docker.io"])).stdout,
            "config-files",
          );
          const after = await host.must([
            "docker",
            "inspect",
            "-f",
            "{{.State.Pid}} {{.State.StartedAt}}",
            container,
          ]);
          assert.equal(after, before, "the container goes on");
        } finally {
          await repository.remove();
        }
      });
    });
  }
});
