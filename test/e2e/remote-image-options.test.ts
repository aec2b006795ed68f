import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { remoteImageHandler as handler } from "../../provider/remote-image/handler";
import { busyboxPath } from "../lab/busybox";
import type { LabHost } from "../lab/lab-host";
import { handlerContext } from "../support/handler-context";
import { type ImageHostKind, SMALL_ROOT, startImageHost } from "../support/image-host";

const CANARY = "canary-0815-build-secret";
const DISK_MB = 64;
const BASE = `FROM scratch AS base
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
`;
const CASES: readonly (ImageHostKind & { readonly builder: string })[] = [
  { engine: "20.10.24", user: "root", builder: "classic", diskMb: DISK_MB },
  { engine: "26.1.5", user: "deploy", builder: "buildkit", diskMb: DISK_MB },
  { engine: "28.5.2", user: "deploy", builder: "buildkit" },
];

const versionOf = ({ engine }: ImageHostKind): RegExp => new RegExp(`^${engine.replaceAll(".", "\\.")}`);

for (const { builder, ...kind } of CASES) {
  describe(`RemoteImage on ${kind.engine} as ${kind.user}`, function () {
    this.timeout(120_000);
    let host: LabHost;
    let folder: string;
    let lines: string[];
    let context: HandlerContext;

    before(async function () {
      this.timeout(400_000);
      host = await startImageHost(kind);
      assert.match(
        await host.must(["docker", "version", "--format", "{{.Server.Version}}"]),
        versionOf(kind),
      );
      folder = mkdtempSync(path.join(tmpdir(), "slipway-context-"));
      copyFileSync(await busyboxPath(), path.join(folder, "busybox"));
    });
    after(async () => {
      closeConnections();
      rmSync(folder, { recursive: true, force: true });
      await host.remove();
    });
    beforeEach(() => {
      lines = [];
      const say = (line: string): void => void lines.push(line);
      const log = { progress: say, keep: say, warn: say, debug: say };
      context = { ...handlerContext(), log, signal: AbortSignal.timeout(110_000) };
    });

    async function checked(dockerfileInline: string, more: Properties = {}): Promise<Properties> {
      const given = { host: host.connection(kind.user), name: "web", context: folder, dockerfileInline };
      const all = { ...given, __salt: "5a".repeat(16), ...more };
      const { inputs, failures } = await handler.check({}, all, context);
      assert.deepEqual(failures, []);
      return inputs;
    }
    const up = async (dockerfile: string, more: Properties = {}): Promise<Properties> =>
      (await handler.create(await checked(dockerfile, more), context)).outputs;
    const inside = (ref: unknown, ...command: readonly string[]): Promise<string> =>
      host.must(["docker", "run", "--rm", String(ref), "/bin/busybox", ...command]);
    const exists = async (name: unknown): Promise<boolean> =>
      (await host.exec(["docker", "image", "inspect", String(name)])).code === 0;

    it("must build what the options say", async () => {
      const dockerfile = `${BASE}ARG WHO\nRUN echo "$WHO" >/who; /bin/busybox cat /etc/hosts >/names\nFROM base AS last\n`;
      const outputs = await up(dockerfile, {
        ...{ target: "base", buildArgs: { WHO: "me" }, labels: { "com.example.a": "b c" } },
        ...{ platform: "linux/amd64", network: "host", extraHosts: ["db.internal:10.9.8.7"] },
      });
      assert.equal(outputs.builder, builder);
      assert.equal(await inside(outputs.ref, "cat", "/who"), "me");
      assert.match(await inside(outputs.ref, "cat", "/names"), /10\.9\.8\.7\s+db\.internal/);
      const label = ["--format", '{{index .Config.Labels "com.example.a"}}', String(outputs.ref)];
      assert.equal(await host.must(["docker", "image", "inspect", ...label]), "b c");
      await handler.delete("web", outputs, context);
    });

    it("must take steps from the cache, and none with noCache", async () => {
      const dockerfile = `${BASE}RUN /bin/busybox cat /proc/sys/kernel/random/uuid >/moment\n`;
      const first = await up(dockerfile);
      const moment = await inside(first.ref, "cat", "/moment");
      const again = await up(dockerfile, { triggers: [1] });
      assert.equal(await inside(again.ref, "cat", "/moment"), moment);
      const anew = await up(dockerfile, { noCache: true });
      assert.notEqual(await inside(anew.ref, "cat", "/moment"), moment);
      for (const outputs of [first, again, anew]) await handler.delete("web", outputs, context);
    });

    it("must refuse an image for another architecture by its name", async () => {
      const made = await up(`FROM scratch\nCOPY busybox /bin/busybox\n`, {
        platform: "linux/arm64",
        name: "far",
      });
      assert.equal(made.architecture, "arm64");
      await assert.rejects(
        up(`FROM ${String(made.ref)}\nCOPY busybox /again\n`),
        / is for arm64, and the host is amd64| is on the host for arm64, and the build is for amd64/,
      );
      await handler.delete("far", made, context);
    });

    it("must say what a build for another architecture lacks", async () => {
      await assert.rejects(
        up(`${BASE}RUN exit 4\n`, { platform: "linux/arm64", name: "far" }),
        /RUN .*the build is for arm64, the host is amd64.*emulator/s,
      );
    });

    it("must keep as many earlier images as it is told to, besides those of containers, and every tag", async () => {
      let olds = await up(`${BASE}RUN echo 0\n`);
      const refs = [String(olds.ref)];
      // looks like a ref of ours: the first digits of a commit
      const more = { keepImages: 1, tags: ["0123456789ab"] };
      for (const n of [1, 2, 3, 4]) {
        if (n === 3) await host.must(["docker", "create", "--name", "user", String(refs[2]), "/bin/busybox"]);
        if (n === 4) await host.must(["docker", "rm", "user"]);
        olds = await handler.update("web", olds, await checked(`${BASE}RUN echo ${n}\n`, more), context);
        refs.push(String(olds.ref));
        assert.ok(await exists("web:0123456789ab"));
        const there = (await Promise.all(refs.map(exists))).map(Number);
        assert.deepEqual(
          there,
          [
            [1, 1],
            [0, 1, 1],
            [0, 1, 1, 1],
            [0, 0, 0, 1, 1],
          ][n - 1],
        );
      }
      await handler.delete("web", olds, context);
      assert.ok(!(await Promise.all(refs.map(exists))).includes(true));
    });

    if (builder === "buildkit") {
      it("must bound the build cache", async () => {
        const size = async (): Promise<string> =>
          host.must(["docker", "system", "df", "--format", "{{.Type}} {{.TotalCount}}"]);
        const noise = `RUN /bin/busybox head -c 3000000 /dev/urandom >/noise\n`;
        const outputs = await up(`${BASE}${noise}`, { noCache: true });
        await handler.delete("web", outputs, context);
        assert.doesNotMatch(await size(), /Build Cache 0/);
        const bounded = await up(`${BASE}RUN echo bounded\n`, { pruneBuildCache: 0 });
        assert.match(await size(), /Build Cache 0/);
        await handler.delete("web", bounded, context);
      });

      it("must show a secret to the step alone: in no layer, history, cache, log, process list or file", async () => {
        const step = `RUN --mount=type=secret,id=key /bin/busybox sleep 2; /bin/busybox sha256sum </run/secrets/key >/sum\n`;
        const state = { running: true };
        const build = up(`${BASE}${step}`, { secrets: { key: CANARY }, cacheTo: ["inline"] }).finally(
          () => (state.running = false),
        );
        let samples = 0;
        let seen = "";
        while (state.running) {
          const list = await host.must(["ps", "-eo", "args"]);
          samples++;
          seen += list
            .split("\n")
            .filter((line) => line.includes(CANARY))
            .join("\n");
        }
        const outputs = await build;
        assert.ok(samples > 3, `${samples} samples`);
        assert.equal(seen, "");
        const expected = (await host.must(["sha256sum"], { input: CANARY })).split(" ")[0];
        assert.equal((await inside(outputs.ref, "cat", "/sum")).split(" ")[0], expected);
        const ref = String(outputs.ref);
        const texts = `docker history --no-trunc ${ref}; docker image inspect ${ref}; docker save ${ref} | grep -ac ${CANARY}`;
        const { stdout } = await host.exec(["sh", "-c", texts]);
        assert.ok(!stdout.includes(CANARY));
        assert.match(stdout, /\n0\n?$/);
        const places =
          "/var/lib/docker /var/lib/small /var/lib/containerd /root /home /tmp /var/tmp /run /var/log /etc";
        const files = await host.exec([
          "sh",
          "-c",
          `grep -rlsa ${CANARY} ${places}; journalctl -q | grep -c ${CANARY}`,
        ]);
        assert.equal(files.stdout.trim(), "0");
        assert.ok(!lines.join("\n").includes(CANARY));
        assert.ok(!JSON.stringify({ ...outputs, secrets: undefined }).includes(CANARY));
        await handler.delete("web", outputs, context);
      });
    } else {
      it("must refuse what the classic builder cannot do, with the reason", async () => {
        await assert.rejects(
          up(BASE, { secrets: { key: CANARY } }),
          /secrets need BuildKit, and the docker command/,
        );
        await assert.rejects(
          up(BASE, { cacheTo: ["inline"] }),
          /cacheTo needs BuildKit, and the docker command/,
        );
      });
    }

    if (kind.diskMb !== undefined) {
      it("must say what is full and lose nothing", async () => {
        const first = await up(`${BASE}RUN echo small\n`);
        const large = `${BASE}RUN /bin/busybox dd if=/dev/zero of=/large bs=1M count=${2 * DISK_MB}\n`;
        await assert.rejects(
          up(large),
          new RegExp(`RUN .*dd .*\\d MB of \\d+\\.\\d MB are free in ${SMALL_ROOT}.*No space left`, "s"),
        );
        const ballast = path.join(folder, "ballast");
        writeFileSync(ballast, Buffer.alloc(DISK_MB * 1_100_000));
        try {
          await assert.rejects(
            up(`${BASE}COPY ballast /ballast\n`),
            /there is not enough space: the context has 7\d\.\d MB, and .* are free in \/var\/lib\/small\. Nothing was touched/,
          );
        } finally {
          rmSync(ballast);
        }
        assert.ok(await exists(first.ref));
        assert.equal(await inside(first.ref, "echo", "there"), "there");
        const next = await handler.update("web", first, await checked(`${BASE}RUN echo next\n`), context);
        assert.ok(await exists(next.ref));
        await handler.delete("web", next, context);
      });
    }
  });
}
