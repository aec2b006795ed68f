import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../provider/clock";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { remoteImageHandler as handler } from "../../provider/remote-image/handler";
import { busyboxPath } from "../lab/busybox";
import { type LabHost, startLabHost } from "../lab/lab-host";

const CANARY = "canary-4711-build-arg";
const SECRET = "canary-0815-build-secret\n";
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
ARG TOKEN
COPY page /page
RUN /bin/busybox sleep 3; echo "token is $TOKEN"
CMD ["/bin/busybox", "sleep", "1000"]
`;
const CASES = [
  { suite: "bookworm", user: "root", builder: "classic" },
  { suite: "trixie", user: "deploy", builder: "buildkit" },
] as const;

for (const { suite, user, builder } of CASES) {
  describe(`RemoteImage on ${suite} as ${user}`, () => {
    let host: LabHost;
    let folder: string;
    let lines: string[];
    let context: HandlerContext;

    before(async function () {
      this.timeout(300_000);
      host = await startLabHost({ suite });
      const install = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io";
      await host.must(["sh", "-c", install]);
      folder = mkdtempSync(path.join(tmpdir(), "slipway-context-"));
      copyFileSync(await busyboxPath(), path.join(folder, "busybox"));
    });

    after(async () => {
      closeConnections();
      rmSync(folder, { recursive: true, force: true });
      await host.remove();
    });

    beforeEach(() => {
      writeFileSync(path.join(folder, "Dockerfile"), DOCKERFILE);
      writeFileSync(path.join(folder, "page"), "v1");
      lines = [];
      const say = (line: string): void => void lines.push(line);
      context = {
        urn: "urn:pulumi:dev::shop::slipway:RemoteImage::web",
        name: "web",
        log: { progress: say, keep: say, warn: say, debug: say },
        clock: systemClock,
        random: Math.random,
        signal: AbortSignal.timeout(120_000),
        holder: "test",
        stack: "shop/dev",
      };
    });

    async function checked(more: Properties = {}): Promise<Properties> {
      const given = { host: host.connection(user), name: "web", context: folder, __salt: "5a".repeat(16) };
      const { inputs, failures } = await handler.check({}, { ...given, ...more }, context);
      assert.deepEqual(failures, []);
      return inputs;
    }

    async function built(more: Properties = {}): Promise<Properties> {
      return (await handler.create(await checked(more), context)).outputs;
    }

    const inspect = async (name: string, format: string): Promise<string> =>
      host.must(["docker", "image", "inspect", "--format", format, name]);
    const exists = async (name: string): Promise<boolean> =>
      (await host.exec(["docker", "image", "inspect", name])).code === 0;
    const text = (value: unknown): string => String(value);

    it("must build under its ref and tags, with our labels, and say what it did", async () => {
      const outputs = await built({ tags: ["1.0", "shop/web:live"] });
      const ref = text(outputs.ref);
      assert.equal(outputs.builder, builder);
      assert.equal(outputs.imageId, await inspect(ref, "{{.Id}}"));
      assert.equal(await inspect("web:1.0", "{{.Id}}"), outputs.imageId);
      assert.equal(await inspect("shop/web:live", "{{.Id}}"), outputs.imageId);
      const labels = JSON.parse(await inspect(ref, "{{json .Config.Labels}}")) as Record<string, string>;
      assert.equal(labels["slipway.resource"], context.urn);
      assert.equal(labels["slipway.stack"], "shop/dev");
      assert.equal(labels["slipway.context-hash"], outputs.contextHash);
      assert.equal(text(outputs.size), await inspect(ref, "{{.Size}}"));
      assert.equal(text(outputs.layers), await inspect(ref, "{{len .RootFS.Layers}}"));
      assert.ok(
        lines.some((line) => line.includes("COPY busybox")),
        lines.join("\n"),
      );
      await handler.delete("web", outputs, context);
    }).timeout(60_000);

    it("must build nothing when the image is there, and see when it is not", async () => {
      const first = await built();
      lines = [];
      assert.equal((await built()).imageId, first.imageId);
      assert.ok(lines.some((line) => line.includes("is there already")));
      assert.ok(!lines.some((line) => line.startsWith("building ")), lines.join("\n"));
      assert.deepEqual(await handler.diff("web", first, await checked(), context), {
        changes: undefined,
        replaces: [],
      });
      await host.must(["docker", "rmi", "-f", text(first.imageId)]);
      const read = await handler.read("web", first, context);
      assert.equal(read?.outputs.imageId, "");
      assert.equal((await handler.diff("web", read.outputs, await checked(), context)).changes, true);
      const again = await handler.update("web", read.outputs, await checked(), context);
      assert.equal(await inspect(text(again.ref), "{{.Id}}"), again.imageId);
      await handler.delete("web", again, context);
      assert.ok(!(await exists(text(again.ref))) && !(await exists("web:latest")));
    }).timeout(60_000);

    it("must show the failing step and its last lines, and leave the image that was there", async () => {
      const first = await built();
      const broken = DOCKERFILE.replace("sleep 3;", "echo the-reason; exit 7;");
      writeFileSync(path.join(folder, "Dockerfile"), broken);
      await assert.rejects(
        async () => handler.update("web", first, await checked(), context),
        (error: Error) => /RUN .*exit 7/.test(error.message) && error.message.includes("the-reason"),
      );
      assert.equal(await inspect("web:latest", "{{.Id}}"), first.imageId);
      await handler.delete("web", first, context);
    }).timeout(60_000);

    it("must remove an earlier ref once no container was made from it", async () => {
      const first = await built();
      await host.must(["docker", "create", "--name", "old", text(first.ref)]);
      writeFileSync(path.join(folder, "page"), "v2");
      const second = await handler.update("web", first, await checked(), context);
      assert.notEqual(second.ref, first.ref);
      assert.ok(await exists(text(first.ref)), "a stopped container was made from it");
      await host.must(["docker", "rm", "old"]);
      writeFileSync(path.join(folder, "page"), "v3");
      const third = await handler.update("web", second, await checked(), context);
      assert.ok(!(await exists(text(first.ref))) && !(await exists(text(second.ref))));
      await handler.delete("web", third, context);
      assert.ok(!(await exists(text(third.ref))));
    }).timeout(60_000);

    it("must show a build argument in no process list and no log", async () => {
      const inputs = await checked({ buildArgs: { TOKEN: CANARY }, noCache: true });
      const state = { running: true };
      const build = handler.create(inputs, context).finally(() => (state.running = false));
      let samples = 0;
      let seen = "";
      while (state.running) {
        const list = await host.must(["ps", "-eo", "args"]);
        samples++;
        // what runs inside the build's own container expands it; that is the user's RUN line
        seen += list
          .split("\n")
          .filter((line) => line.includes(CANARY) || line.includes(Buffer.from(CANARY).toString("base64")))
          .join("\n");
      }
      const { outputs } = await build;
      assert.ok(samples > 3, `${samples} samples`);
      assert.equal(seen, "");
      assert.ok(!lines.join("\n").includes(CANARY), lines.join("\n"));
      assert.match(lines.join("\n"), /token is \[secret\]/);
      await handler.delete("web", outputs, context);
    }).timeout(60_000);

    it("must touch nothing when only the connection changed", async () => {
      const first = await built();
      // a duration for --until is cut to whole seconds, and the build's last events with it
      const events = (): Promise<string> =>
        host.must(["sh", "-c", 'docker events --since 1h --until "$(date +%s.%N)" | wc -l']);
      const before = await events();
      const news = await checked({ host: { ...host.connection(user), perDialTimeout: 20 } });
      const outputs = await handler.update("web", first, news, context);
      assert.equal(outputs.imageId, first.imageId);
      assert.deepEqual(outputs.hostKeys, first.hostKeys);
      assert.equal(await events(), before);
      await handler.delete("web", outputs, context);
    }).timeout(60_000);

    if (builder === "buildkit") {
      it("must mount a secret whole and leave it nowhere", async () => {
        const use = `RUN --mount=type=secret,id=key /bin/busybox sha256sum </run/secrets/key >/sum\n`;
        writeFileSync(path.join(folder, "Dockerfile"), DOCKERFILE.replace("CMD", `${use}CMD`));
        const outputs = await built({ secrets: { key: SECRET } });
        const run = ["docker", "run", "--rm", text(outputs.ref), "/bin/busybox", "cat", "/sum"];
        const expected = await host.must(["sha256sum"], { input: SECRET });
        assert.equal(await host.must(run), expected);
        const history = await host.must(["docker", "history", "--no-trunc", text(outputs.ref)]);
        assert.ok(!`${history}${lines.join("\n")}`.includes(SECRET.trim()));
        await handler.delete("web", outputs, context);
      }).timeout(60_000);
    } else {
      it("must refuse secrets where there is no BuildKit", async () => {
        await assert.rejects(
          built({ secrets: { key: SECRET } }),
          /secrets need BuildKit, and the docker command there has no buildx/,
        );
      }).timeout(60_000);
    }
  });
}
