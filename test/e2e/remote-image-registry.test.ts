import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../provider/clock";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { remoteImageHandler as handler } from "../../provider/remote-image/handler";
import { FaultyRegistry } from "../faults/faulty-registry";
import { busyboxPath } from "../lab/busybox";
import type { LabHost } from "../lab/lab-host";
import { handlerContext } from "../support/handler-context";
import { type ImageHostKind, startImageHost } from "../support/image-host";

const LOGIN = { username: "bot", password: "canary-2718-registry" };
const BASE = `FROM scratch
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
RUN echo base >/base
`;
const ALWAYS = 1_000;
const CASES: readonly (ImageHostKind & { readonly builder: string })[] = [
  { engine: "20.10.24", user: "root", builder: "classic" },
  { engine: "26.1.5", user: "deploy", builder: "buildkit" },
  { engine: "28.5.2", user: "deploy", builder: "buildkit" },
];

for (const { builder, ...kind } of CASES) {
  describe(`RemoteImage and registries, ${kind.engine} as ${kind.user}`, function () {
    this.timeout(120_000);
    let host: LabHost;
    let other: LabHost;
    let registry: FaultyRegistry;
    let folder: string;
    let lines: string[];
    let slept: number[];
    let context: HandlerContext;

    before(async function () {
      this.timeout(400_000);
      [host, other] = await Promise.all([startImageHost(kind), startImageHost(kind)]);
      registry = await FaultyRegistry.start({ host });
      folder = mkdtempSync(path.join(tmpdir(), "slipway-context-"));
      copyFileSync(await busyboxPath(), path.join(folder, "busybox"));
    });
    after(async () => {
      closeConnections();
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([host.remove(), other.remove(), registry.remove()]);
    });
    beforeEach(() => {
      registry.mood = { kind: "well" };
      lines = [];
      slept = [];
      const say = (line: string): void => void lines.push(line);
      const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
        slept.push(ms);
        return systemClock.sleep(Math.min(ms, 50), signal);
      };
      context = {
        ...handlerContext(),
        log: { progress: say, keep: say, warn: say, debug: say },
        clock: { ...systemClock, sleep },
        signal: AbortSignal.timeout(110_000),
      };
    });

    async function up(dockerfileInline: string, more: Properties = {}): Promise<Properties> {
      const given = { host: host.connection(kind.user), name: "web", context: folder, dockerfileInline };
      const { inputs, failures } = await handler.check(
        {},
        { ...given, __salt: "5a".repeat(16), ...more },
        context,
      );
      assert.deepEqual(failures, []);
      return (await handler.create(inputs, context)).outputs;
    }
    const registries = (): Properties["registries"] => [{ address: registry.address, ...LOGIN }];
    const named = (name: string): Properties => ({ name: `${registry.address}/${name}`, push: true });

    it("must push with a login and build on what was pushed, and leave the login nowhere", async () => {
      registry.mood = { kind: "login", ...LOGIN };
      const base = await up(BASE, { ...named("team/base"), registries: registries() });
      assert.equal(base.builder, builder);
      assert.match(String(base.repoDigest), /^[^@]+\/team\/base@sha256:[0-9a-f]{64}$/);
      await handler.delete("web", base, context);
      await host.must([
        "sh",
        "-c",
        "docker system prune -af >/dev/null; docker builder prune -af >/dev/null",
      ]);
      const from = `FROM ${String(base.ref)}\nRUN /bin/busybox cat /base\n`;
      const built = await up(from, { registries: registries() });
      assert.equal(built.builder, builder);
      await handler.delete("web", built, context);
      const places = "/root /home /tmp /var/tmp /var/lib/docker /run /etc/docker";
      const found = await host.exec(["sh", "-c", `grep -rlsI ${LOGIN.password} ${places}`]);
      assert.equal(found.stdout, "");
      assert.ok(!lines.join("\n").includes(LOGIN.password));
    });

    it("must name what the registry has against a base image and what to do", async () => {
      const from = `FROM ${registry.address}/team/nothing:1\nRUN true\n`;
      await assert.rejects(up(from), /has no [^ ]+\/team\/nothing:1 \(status 404\).*push it there first/s);
      registry.mood = { kind: "login", ...LOGIN };
      await assert.rejects(up(from), /wants a login \(status 401\).*Give it one in `registries`/s);
      const wrong = [{ address: registry.address, username: "bot", password: "not-this" }];
      await assert.rejects(up(from, { registries: wrong }), /refuses the login of bot \(status 401\)/);
      assert.deepEqual(slept, []);
      registry.mood = { kind: "refuses", status: 500, times: ALWAYS };
      await assert.rejects(up(from), /is not well \(status 500\)/);
      assert.equal(slept.length, 4);
    });

    it("must wait as long as the registry asks for, and then push", async () => {
      registry.mood = { kind: "refuses", status: 429, headers: { "retry-after": "3" }, times: ALWAYS };
      const heal = (ms: number, signal?: AbortSignal): Promise<void> => shortened.sleep(ms, signal);
      const shortened = context.clock;
      let waits = 0;
      const clock = {
        ...context.clock,
        sleep: (ms: number, signal?: AbortSignal): Promise<void> => {
          waits += 1;
          if (waits === 2) registry.mood = { kind: "well" };
          return heal(ms, signal);
        },
      };
      context = { ...context, clock };
      const outputs = await up(BASE, named("team/late"));
      assert.match(String(outputs.repoDigest), /@sha256:/);
      assert.ok(
        slept.every((ms) => ms >= 3_000),
        slept.join(),
      );
      assert.match(lines.join("\n"), /was asked too often \(status 429, to be asked again in 3s\)/);
      await handler.delete("web", outputs, context);
    });

    it("must keep the image that could not be pushed, and push it in the next up without building", async () => {
      registry.mood = { kind: "refuses", status: 403, times: ALWAYS };
      await assert.rejects(
        up(BASE, named("team/kept")),
        /does not let .* push .* The image stays on the host/s,
      );
      registry.mood = { kind: "well" };
      lines = [];
      const outputs = await up(BASE, named("team/kept"));
      assert.match(String(outputs.repoDigest), /@sha256:/);
      assert.ok(
        lines.some((line) => line.includes("is there already")),
        lines.join("\n"),
      );
      await handler.delete("web", outputs, context);
    });

    const both = (): Properties => ({
      host: undefined,
      hosts: [host.connection(kind.user), other.connection(kind.user)],
    });

    it("must build once and copy to the other host only what it has not", async () => {
      const first = await up(BASE, { ...both(), distribute: "copy" });
      assert.equal(lines.filter((line) => line.includes(" built on ")).length, 1);
      assert.equal(lines.filter((line) => line.includes(" copied from ")).length, 1, lines.join("\n"));
      assert.equal(new Set(Object.values(first.imageId as object)).size, 1);
      lines = [];
      const second = await up(`${BASE}RUN echo more >/more\n`, { ...both(), distribute: "copy" });
      assert.ok(
        lines.some((line) => line.endsWith("1 of 3 layers are not there")),
        lines.join("\n"),
      );
      const run = ["docker", "run", "--rm", String(second.ref), "/bin/busybox", "cat", "/base", "/more"];
      assert.equal(await other.must(run), "base\nmore");
      for (const outputs of [first, second]) await handler.delete("web", outputs, context);
    });

    it("must build once and have the other host pull it", async () => {
      const outputs = await up(BASE, { ...both(), ...named("team/both"), distribute: "registry" });
      assert.equal(lines.filter((line) => line.includes(" built on ")).length, 1);
      const run = ["docker", "run", "--rm", String(outputs.ref), "/bin/busybox", "cat", "/base"];
      assert.equal(await other.must(run), "base");
      await handler.delete("web", outputs, context);
      assert.notEqual((await other.exec(["docker", "image", "inspect", String(outputs.ref)])).code, 0);
    });
  });
}
