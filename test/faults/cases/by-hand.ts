import type { FaultCase } from "../fault-case";
import { judge, mustEnd, serves } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { BRIDGED, OVERLAP, PLAIN, PROXIED, siteOf, type Way } from "../way";
import { withLines } from "../with-lines";

/** What somebody does on the host; `$1` is the service. */
interface Hand {
  readonly name: string;
  readonly script: string;
  readonly downBecause?: string;
  readonly quick?: true;
}

const HANDS: readonly Hand[] = [
  {
    name: "removed by hand",
    script: 'docker rm -f "$1"',
    downBecause: "it was removed by hand",
    quick: true,
  },
  { name: "renamed by hand", script: 'docker rename "$1" "$1.mine"' },
  { name: "paused by hand", script: 'docker pause "$1"', downBecause: "it was paused by hand" },
  { name: "stopped by hand", script: 'docker stop "$1"', downBecause: "it was stopped by hand" },
  { name: "killed by hand", script: 'docker kill "$1"', downBecause: "it was killed by hand" },
  {
    name: "kept one removed by hand",
    script: `docker ps -aq --filter "label=slipway.service=$1" --filter status=exited | xargs docker rm`,
  },
  {
    name: "kept one started by hand",
    script: `docker ps -aq --filter "label=slipway.service=$1" --filter status=exited | xargs docker start; :`,
  },
  { name: "its restart policy changed by hand", script: 'docker update --restart no "$1"' },
];

/** Where the same version is deployed the way to switch plays no part. */
const THEN: readonly (readonly [Way, "v2" | "v3"])[] = [
  [BRIDGED, "v2"],
  [BRIDGED, "v3"],
  [OVERLAP, "v3"],
  [PROXIED, "v3"],
];

/** Somebody did something to a container of ours, or has what it needs. */
export const HAND_CASES: readonly FaultCase[] = [
  ...THEN.flatMap(([way, next]) =>
    HANDS.map((hand): FaultCase => {
      const then = next === "v2" ? "the same version is deployed" : "the next version is deployed";
      return {
        name: `${way.name}: ${hand.name}, ${then}`,
        did: `\`${hand.script.replaceAll('"$1', '"web')}\` between two ups; then ${then}`,
        ...siteOf(way),
        ...(hand.quick === true && next === "v2" ? { quick: true as const } : {}),
        run: (site) => handled(site, way, hand, next),
      };
    }),
  ),
  {
    name: "a foreign container has our name",
    did: "a container `web` that is not ours runs before the first up; then it is removed",
    run: foreignName,
  },
  {
    name: "a foreign container has the candidate's name",
    did: "a container `web.next` that is not ours is created between two ups; then it is removed",
    run: foreignCandidate,
  },
  {
    name: "the port is taken by a container",
    did: "another container holds the host port before the first up; then it is removed",
    run: (site) => takenPort(site, "container"),
  },
  {
    name: "the port is taken by a process",
    did: "a process of the host holds the host port before the first up; then it ends",
    run: (site) => takenPort(site, "process"),
  },
  ...[BRIDGED, PLAIN].map((way): FaultCase => {
    return {
      name: `${way.name}: the next version's port is taken by a process`,
      did: "a process of the host holds the host port that the next version asks for; then it ends",
      run: (site) => takenNext(site, way),
    };
  }),
];

async function handled(site: Site, way: Way, hand: Hand, next: "v2" | "v3"): Promise<string> {
  const service = new Service(site, way);
  try {
    await service.up("v1");
    await service.up("v2");
    await site.host.must(["sh", "-c", hand.script, "hand", service.name]);
    return await judge(service, {
      image: next,
      ...(hand.downBecause ? { downBecause: hand.downBecause } : {}),
    });
  } catch (error) {
    throw withLines(error, service);
  }
}

async function foreignName(site: Site): Promise<string> {
  const service = new Service(site, OVERLAP);
  try {
    const id = await site.host.must(["docker", "run", "-d", "--name", service.name, "page:v3"]);
    const failed = await service.tryUp("v1");
    if (!failed?.includes("belongs to a container that Slipway did not make"))
      throw new Error(`it should have been refused: ${failed ?? "it ended well"}`);
    const now = await site.host.must(["docker", "inspect", "-f", "{{.Id}} {{.State.Running}}", service.name]);
    if (now !== `${id} true`) throw new Error(`the foreign one is ${now}`);
    await site.host.must(["docker", "rm", "-f", service.name]);
    return `refused by name, ${await judge(service, { image: "v1", downBecause: "there was none before" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function foreignCandidate(site: Site): Promise<string> {
  const service = new Service(site, BRIDGED);
  const name = `${service.name}.next`;
  try {
    await service.up("v1");
    const id = await site.host.must(["docker", "create", "--name", name, "page:v3"]);
    const failed = await service.tryUp("v2");
    if (failed === undefined) throw new Error("it should have been refused, and ended well");
    if ((await site.host.must(["docker", "inspect", "-f", "{{.Id}}", name])) !== id)
      throw new Error("the foreign one is another now");
    await serves(service, "v1");
    await site.host.must(["docker", "rm", name]);
    return `refused, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function takenPort(site: Site, by: "container" | "process"): Promise<string> {
  const service = new Service(site, BRIDGED);
  const free = await take(site, by, service.port ?? 0);
  try {
    const failed = await service.tryUp("v1");
    const who = by === "container" ? /held by the container "taker"/ : /held by the process perl/;
    if (failed === undefined || !who.test(failed))
      throw new Error(`it should name who holds it: ${failed ?? "it ended well"}`);
    await free();
    return `named, ${await judge(service, { image: "v1", downBecause: "there was none before" })}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await free();
  }
}

async function takenNext(site: Site, way: Way): Promise<string> {
  const service = new Service(site, way);
  const port = (service.port ?? 0) + 5_000;
  const more = { ports: [{ container: 3000, host: port }] };
  const free = await take(site, "process", port);
  try {
    await service.up("v1");
    const failed = await service.tryUp("v2", more);
    if (!failed?.includes("held by the process perl"))
      throw new Error(`it should name who holds it: ${failed ?? "it ended well"}`);
    await serves(service, "v1");
    await mustEnd(service);
    return "named, v1 served on";
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await free();
  }
}

/** Gives what ends it. */
async function take(site: Site, by: "container" | "process", port: number): Promise<() => Promise<void>> {
  const { host } = site;
  if (by === "container") {
    await host.must(["docker", "run", "-d", "--name", "taker", "-p", `${port}:3000`, "page:v3"]);
    return async () => {
      await host.exec(["docker", "rm", "-f", "taker"]);
    };
  }
  const listen = `use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 1) or die; sleep 1000`;
  await host.must(["systemd-run", "--unit", "taker", "perl", "-e", listen]);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const heard = `until grep -q ':${hex} .* 0A ' /proc/net/tcp; do sleep 0.1; done`;
  await host.must(["timeout", "10", "sh", "-c", heard]);
  return async () => {
    await host.exec(["systemctl", "stop", "taker"]);
  };
}
