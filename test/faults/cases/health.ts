import type { Properties } from "../../../provider/handler";
import { until } from "../../lab/until";
import type { FaultCase } from "../fault-case";
import { judge } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { BRIDGED, OVERLAP, PLAIN, siteOf, type Way, WAYS } from "../way";
import { withLines } from "../with-lines";

const SERVE = "exec /bin/busybox httpd -f -p 3000 -h /www";
const shell = (script: string): Properties => ({ command: ["/bin/busybox", "sh", "-c", script] });

/** A version that comes up, or does not. */
interface Sickness {
  readonly name: string;
  readonly did: string;
  readonly image?: string;
  readonly inputs: Properties;
  /** What the up has to say; undefined: it has to end well. */
  readonly error?: RegExp;
  readonly ways?: readonly Way[];
  readonly quick?: true;
}

/** With stop first the same gate decides as in the others, only later. */
const REHEARSED = [OVERLAP, BRIDGED];

const SICKNESSES: readonly Sickness[] = [
  {
    name: "healthy just before the deadline",
    did: "v2 listens 4 s after its start, healthyDeadline is 8 s",
    inputs: { ...shell(`/bin/busybox sleep 4; ${SERVE}`), update: { healthyDeadline: "8s" } },
  },
  {
    name: "healthy just after the deadline",
    did: "v2 would listen 6 s after its start, healthyDeadline is 4 s",
    inputs: { ...shell(`/bin/busybox sleep 6; ${SERVE}`), update: { healthyDeadline: "4s" } },
    error: /was not healthy within 4s/,
    quick: true,
  },
  {
    name: "healthy just after the deadline, continuously",
    ways: REHEARSED,
    did: "v2 listens 3 s after its start and has to be well for 4 s, healthyDeadline is 5 s",
    inputs: {
      ...shell(`/bin/busybox sleep 3; ${SERVE}`),
      update: { healthyDeadline: "5s", minHealthyTime: "4s" },
    },
    error: /was not healthy within 5s/,
  },
  {
    name: "flapping",
    ways: REHEARSED,
    did: "v2 is well for a second and sick for a second, minHealthyTime is 3 s",
    inputs: {
      healthcheck: { command: ["/bin/busybox", "sh", "-c", "[ $(( $(/bin/busybox date +%s) % 2 )) = 0 ]"] },
      update: { healthyDeadline: "8s", minHealthyTime: "3s" },
    },
    error: /was not healthy within 8s/,
  },
  {
    name: "out of memory",
    did: "v2 takes all the memory that it may have, and is killed for it",
    inputs: { ...shell("/bin/busybox sleep 1; /bin/busybox tail /dev/zero"), memory: "16m" },
    error: /memory|exited with code 137/,
  },
  {
    name: "exits at once",
    did: "the new version exits with 7 and says the secret",
    image: "page:exit",
    inputs: {},
    error: /exited with code 7/,
    quick: true,
  },
  {
    name: "never listens",
    ways: REHEARSED,
    did: "the new version runs and never listens",
    image: "page:deaf",
    inputs: { update: { healthyDeadline: "4s" } },
    error: /was not healthy within 4s/,
  },
  {
    name: "exits after two seconds, without a check",
    ways: REHEARSED,
    did: "v2 has no healthcheck and exits with 3 two seconds after its start, minHealthyTime is 3 s",
    inputs: {
      ...shell("/bin/busybox sleep 2; exit 3"),
      healthcheck: undefined,
      update: { minHealthyTime: "3s" },
    },
    error: /exited with code 3/,
  },
  {
    name: "restarts in a loop",
    ways: REHEARSED,
    did: "v2 exits with 1 each time a second after its start",
    inputs: shell("/bin/busybox sleep 1; exit 1"),
    error: /exited with code 1/,
  },
];

/** The new version fails its gate, or passes it only just. */
export const HEALTH_CASES: readonly FaultCase[] = [
  ...SICKNESSES.flatMap((sickness) =>
    (sickness.ways ?? [OVERLAP, BRIDGED, PLAIN]).map((way): FaultCase => {
      return {
        name: `${way.name}: ${sickness.name}`,
        did: sickness.did,
        ...(sickness.quick === true && way === BRIDGED ? { quick: true as const } : {}),
        run: (site) => sick(site, way, sickness),
      };
    }),
  ),
  ...WAYS.map((way): FaultCase => {
    return {
      name: `${way.name}: crashes after the commit point`,
      did: "v2 passed its gate and has the name; its process is killed on the host",
      ...siteOf(way),
      run: (site) => crashed(site, way),
    };
  }),
];

async function sick(site: Site, way: Way, { image = "v2", inputs, error }: Sickness): Promise<string> {
  const service = new Service(site, way);
  try {
    await service.up("v1");
    const failed = await service.tryUp(image, inputs);
    if (error === undefined) {
      if (failed !== undefined) throw new Error(`it should have passed: ${failed}`);
      return await judge(service, { image, inputs });
    }
    if (failed === undefined || !error.test(failed))
      throw new Error(`expected ${String(error)}: ${failed ?? "it passed"}`);
    const pages = await service.served();
    if (pages.join() !== "v1")
      throw new Error(`v1 should serve on, and there serve: ${pages.join() || "none"}`);
    return `the up failed, ${await judge(service, { image: "v3" })}`;
  } catch (caught) {
    throw withLines(caught, service);
  }
}

const COMMITTED = "after rename web.next to web";

async function crashed(site: Site, way: Way): Promise<string> {
  const service = new Service(site, way);
  try {
    await service.up("v1");
    const deployer = service.deploy("v2", [COMMITTED]);
    await deployer.halted(COMMITTED);
    const started = ["docker", "inspect", "-f", "{{.State.StartedAt}}", service.name];
    const before = await site.host.must(started);
    await site.host.must([
      "sh",
      "-c",
      'kill -9 "$(docker inspect -f "{{.State.Pid}}" "$1")"',
      "kill",
      service.name,
    ]);
    await until("the engine to start it again", async () => (await site.host.must(started)) !== before);
    deployer.resume();
    const end = await service.settle(deployer);
    return `the deployer ${end.kind}, ${await judge(service, { image: "v2" })}`;
  } catch (caught) {
    throw withLines(caught, service);
  }
}
