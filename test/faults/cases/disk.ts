import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock } from "../../../provider/clock";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { closeConnections } from "../../../provider/host/pool";
import { remoteImageHandler } from "../../../provider/remote-image/handler";
import { buildPage } from "../../support/web-host";
import type { FaultCase } from "../fault-case";
import { FaultyRegistry } from "../faulty-registry";
import { judge } from "../oracle";
import { Service } from "../service";
import { type Site, SMALL_DISK_MB, SMALL_ROOT } from "../site";
import { BRIDGED, OVERLAP, PLAIN, type Way } from "../way";
import { withLines } from "../with-lines";

const FILL = `${SMALL_ROOT}/fill`;
const BALLAST_MB = 12;
const BIG = SMALL_DISK_MB * 1_048_576;

/** The engine's disk is full. */
export const DISK_CASES: readonly FaultCase[] = [
  ...[OVERLAP, BRIDGED, PLAIN].map((way): FaultCase => {
    return {
      name: `${way.name}: disk full in a swap`,
      did: "nothing is free on the engine's file system when v2 is deployed; then there is again",
      smallDisk: true,
      run: (site) => fullSwap(site, way),
    };
  }),
  {
    name: "disk full in a pull",
    did: "an image is pulled that is larger than what is free; then there is room for it",
    smallDisk: true,
    run: fullPull,
  },
  {
    name: "disk full in a build",
    did: "RemoteImage builds an image that is larger than what is free; then one that fits",
    smallDisk: true,
    run: fullBuild,
  },
];

async function fullSwap(site: Site, way: Way): Promise<string> {
  const service = new Service(site, way);
  try {
    await service.up("v1");
    await site.host.exec(["dd", "if=/dev/zero", `of=${FILL}`, "bs=4096"]);
    const failed = await service.tryUp("v2", { update: { healthyDeadline: "10s" } });
    const pages = await service.served();
    const expected = failed === undefined ? "v2" : "v1";
    if (pages.join() !== expected)
      throw new Error(
        `${expected} should serve, and there serve: ${pages.join() || "none"} (${failed ?? ""})`,
      );
    await site.host.must(["rm", "-f", FILL]);
    return `the up ${failed === undefined ? "ended well" : "failed"}, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await site.host.exec(["rm", "-f", FILL]);
  }
}

async function fullPull(site: Site): Promise<string> {
  const registry = await FaultyRegistry.start(site);
  const service = new Service(site, BRIDGED);
  try {
    await service.up("v1");
    await buildPage(site.host, "v4");
    const ballast = `FROM page:v4\nRUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/ballast", "bs=1M", "count=${BALLAST_MB}"]\n`;
    await site.host.must(["docker", "build", "-q", "-t", "page:v4", "-"], { input: ballast });
    const image = await registry.offer(site, "v4");
    await site.host.must(["docker", "system", "prune", "-f"]);
    const room = `dd if=/dev/zero of=${FILL} bs=1M count=$(($(df --output=avail -m ${SMALL_ROOT} | tail -n 1) - 5))`;
    await site.host.must(["sh", "-c", room]);
    const failed = await service.tryUp(image);
    if (failed === undefined) throw new Error("an image larger than what is free was pulled");
    if (!failed.includes("space"))
      throw new Error(`the message does not say that the disk is full: ${failed}`);
    const pages = await service.served();
    if (pages.join() !== "v1") throw new Error(`v1 should serve, and there serve: ${pages.join() || "none"}`);
    await site.host.must(["rm", "-f", FILL]);
    return `the up failed and said why, ${await judge(service, { image })}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await site.host.exec(["rm", "-f", FILL]);
    await site.host.exec(["docker", "rmi", "-f", `${registry.address}/page:v4`]);
    await registry.remove();
  }
}

async function fullBuild(site: Site): Promise<string> {
  const service = new Service(site, BRIDGED);
  const folder = mkdtempSync(path.join(tmpdir(), "slipway-fault-context-"));
  try {
    await service.up("v1");
    writeFileSync(path.join(folder, "Dockerfile"), "FROM page:v2\nCOPY ballast /ballast\n");
    writeFileSync(path.join(folder, "ballast"), randomBytes(BIG));
    const failed = await build(site, service, folder).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (failed === undefined) throw new Error("an image larger than the disk was built");
    service.lines.push(`error ${failed}`);
    if (!failed.includes("space"))
      throw new Error(`the message does not say that the disk is full: ${failed}`);
    const pages = await service.served();
    if (pages.join() !== "v1") throw new Error(`v1 should serve, and there serve: ${pages.join() || "none"}`);
    writeFileSync(path.join(folder, "ballast"), randomBytes(1_000));
    const built = await build(site, service, folder);
    const seen = await judge(service, { image: "v2" });
    await remoteImageHandler.delete(service.name, built, contextOf(service));
    return `the build failed and said why, the next ended well, ${seen}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    closeConnections();
    rmSync(folder, { recursive: true, force: true });
    await site.host.exec(["docker", "image", "prune", "-f"]);
  }
}

async function build(site: Site, service: Service, context: string): Promise<Properties> {
  const given = {
    host: site.host.connection(),
    name: `${service.name}-image`,
    context,
    __salt: "5a".repeat(16),
  };
  const { inputs, failures } = await remoteImageHandler.check({}, given, contextOf(service));
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return (await remoteImageHandler.create(inputs, contextOf(service))).outputs;
}

function contextOf(service: Service): HandlerContext {
  const say = (line: string): void => void service.lines.push(line);
  return {
    urn: "urn:pulumi:one::faults::slipway:RemoteImage::image",
    name: service.name,
    log: { progress: say, keep: say, warn: say, debug: say },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "faults",
    stack: service.stack,
  };
}
