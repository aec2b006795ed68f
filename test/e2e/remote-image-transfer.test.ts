import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { remoteImageHandler as handler } from "../../provider/remote-image/handler";
import { busyboxPath } from "../lab/busybox";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { type CuttingLine, startCuttingLine } from "../support/cutting-line";
import { handlerContext } from "../support/handler-context";

const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
COPY files /files
RUN /bin/busybox sleep 2; echo built
CMD ["/bin/busybox", "sleep", "1000"]
`;
const CASES = [
  { suite: "bookworm", user: "root", builder: "classic", home: "/root" },
  { suite: "trixie", user: "deploy", builder: "buildkit", home: "/home/deploy" },
] as const;

for (const { suite, user, builder, home } of CASES) {
  describe(`transfer of a context to ${suite} as ${user}, ${builder}`, () => {
    const store = `${home}/.cache/slipway/context`;
    let host: LabHost;
    let line: CuttingLine;
    let folder: string;

    before(async function () {
      this.timeout(300_000);
      host = await startLabHost({ suite });
      const install = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io";
      await host.must(["sh", "-c", install]);
      line = await startCuttingLine(host.sshPort);
      folder = mkdtempSync(path.join(tmpdir(), "slipway-context-"));
      copyFileSync(await busyboxPath(), path.join(folder, "busybox"));
      writeFileSync(path.join(folder, "Dockerfile"), DOCKERFILE);
      mkdirSync(path.join(folder, "files"));
      for (let at = 0; at < 400; at++) change(`f${at}`, randomBytes(4_000).toString("hex"));
    });

    beforeEach(async () => {
      line.heal();
      await host.must(["rm", "-rf", store]);
    });

    after(async () => {
      closeConnections();
      line.stop();
      rmSync(folder, { recursive: true, force: true });
      await host.remove();
    });

    const change = (name: string, text: string): void =>
      writeFileSync(path.join(folder, "files", name), text);

    async function up(name = "web", context: Partial<HandlerContext> = {}): Promise<Properties> {
      const run = { ...handlerContext(name), ...context };
      const given = { host: { ...host.connection(user), port: line.port }, name, context: folder };
      const { inputs, failures } = await handler.check({}, { ...given, __salt: "5a".repeat(16) }, run);
      assert.deepEqual(failures, []);
      return (await handler.create(inputs, run)).outputs;
    }

    const contentOf = (ref: unknown, name: string): Promise<string> =>
      host.must(["docker", "run", "--rm", String(ref), "/bin/busybox", "cat", `/files/${name}`]);

    /** Everything in the store is what its name says, and nothing is left of a run that ended. */
    async function mustBeSound(): Promise<void> {
      const wrong = `cd ${store}/objects && sha256sum * | awk '$1 != $2'; ls ${store} | grep -v '^objects$\\|^tidied$\\|^tree\\.'`;
      assert.equal((await host.exec(["sh", "-c", wrong])).stdout, "");
      assert.equal(await host.must(["stat", "-c", "%a %U", store]), `700 ${user}`);
      const others = `find ${store} ! -user ${user} ! -name seal ! -name suid`;
      assert.equal(await host.must(others.split(" ")), "");
    }

    it("must build what lies here, and send kilobytes after one line changed", async () => {
      change("f7", "one");
      change("suid", "root's");
      chmodSync(path.join(folder, "files", "suid"), 0o4755);
      const first = await up();
      const modeOf = `docker run --rm ${String(first.ref)} /bin/busybox stat -c %a /files/suid`;
      // the classic builder gives every file to root, which takes the bit off
      assert.equal(await host.must(modeOf.split(" ")), builder === "buildkit" ? "4755" : "755");
      assert.equal(first.builder, builder);
      assert.equal(await contentOf(first.ref, "f7"), "one");
      const before = line.sent();
      change("f7", "two");
      const second = await up();
      assert.notEqual(second.ref, first.ref);
      assert.equal(await contentOf(second.ref, "f7"), "two");
      assert.ok(line.sent() - before < 60_000, `${line.sent() - before} bytes`);
      await mustBeSound();
    }).timeout(120_000);

    for (const [when, bytes] of [
      ["in the question what is missing", 7_000],
      ["in the files", 1_000_000],
    ] as const) {
      it(`must build in the next up when the line dropped ${when}`, async () => {
        change("f8", when);
        closeConnections();
        line.cutAfter(bytes);
        await assert.rejects(up());
        line.heal();
        const outputs = await up();
        assert.equal(await contentOf(outputs.ref, "f8"), when);
        await mustBeSound();
      }).timeout(180_000);
    }

    it("must build in the next up when the line dropped in the build", async () => {
      change("f8", "in the build");
      const { log } = handlerContext();
      const progress = (text: string): void => {
        if (text.includes("sleep 2")) line.cut();
      };
      await assert.rejects(up("web", { log: { ...log, progress } }));
      line.heal();
      const outputs = await up();
      assert.equal(await contentOf(outputs.ref, "f8"), "in the build");
      await mustBeSound();
    }).timeout(180_000);

    it("must let two ups store and build at once", async () => {
      change("f9", "both");
      const [one, other] = await Promise.all([up("one"), up("other")]);
      assert.equal(await contentOf(one.ref, "f9"), "both");
      assert.equal(await contentOf(other.ref, "f9"), "both");
      await mustBeSound();
    }).timeout(120_000);

    it("must send again what was lost between the store and the build", async () => {
      change("f10", "whole");
      const first = await up();
      await host.must(["docker", "rmi", "--force", String(first.imageId)]);
      // what a machine that lost its power may be left with
      const largest = `cd ${store}/objects && f=$(ls -S | head -n 1) && : >"$f"`;
      await host.must(["sh", "-c", largest]);
      // the folder that was made of it is right, and is all that BuildKit needs
      await host.must(["sh", "-c", `rm -rf ${store}/tree.*`]);
      const again = await up();
      assert.equal(await contentOf(again.ref, "f10"), "whole");
      await mustBeSound();
    }).timeout(120_000);
  });
}
