import { until } from "../../lab/until";
import type { FaultCase } from "../fault-case";
import { judge, serves } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { BRIDGED, OVERLAP, siteOf, type Way, WAYS } from "../way";
import { withLines } from "../with-lines";

const HELD = "before create web.next";
// what a lock may last is counted from these
const SHORT = { minHealthyTime: "500ms", healthyDeadline: "2s", progressDeadline: "3s" };

/** Who may change a service, when several want to or one is gone. */
export const LOCK_CASES: readonly FaultCase[] = [
  ...WAYS.map((way): FaultCase => {
    return {
      name: `${way.name}: two ups of one stack at once`,
      did: "v2 and v3 are deployed at the same time from the same state",
      ...siteOf(way),
      ...(way === OVERLAP ? { quick: true as const } : {}),
      run: (site) => twoAtOnce(site, way),
    };
  }),
  {
    name: "two stacks at once, one service that exists",
    did: "two stacks deploy to a service of the first at the same time",
    run: (site) => twoStacks(site, true),
  },
  {
    name: "two stacks at once, one service that is new",
    did: "two stacks create the same service on one host at the same time",
    run: (site) => twoStacks(site, false),
  },
  {
    name: "the lock of a dead deployer",
    did: "a deployer is killed while it holds the lock; the next comes at once",
    quick: true,
    run: (site) => deadHolder(site, 1),
  },
  {
    name: "the lock of a dead deployer is taken over by two at once",
    did: "a deployer is killed while it holds the lock; two come at the same time",
    run: (site) => deadHolder(site, 2),
  },
  {
    name: "the lock of a half-open line",
    did: "a deployer stands still with the lock until its time is over; another takes it over; then the first goes on",
    run: halfOpen,
  },
  {
    name: "the lock is held by a living deployer",
    did: "a deployer stands still with the lock; another comes with a lockWait of 1 s",
    run: livingHolder,
  },
  {
    name: "the lock is pruned while it is held",
    did: "`docker container prune -f` takes the lock of a deployer that stands still; another deploys; the first goes on",
    run: prunedLock,
  },
  {
    name: "the lock is removed by hand between two operations",
    did: "`docker rm slipway.lock.web` while a deployer stands still before its rename; it goes on",
    run: removedLock,
  },
];

async function twoAtOnce(site: Site, way: Way): Promise<string> {
  const service = new Service(site, way);
  try {
    await service.up("v1");
    const more = { update: { lockWait: "90s" } };
    const both = [service.deploy("v2", [], more), service.deploy("v3", [], more)];
    const ends = [];
    for (const each of both) ends.push(await service.settle(each));
    if (ends.some(({ kind }) => kind !== "ended"))
      throw new Error(
        `one of them failed: ${ends.map((end) => (end.kind === "failed" ? end.message : end.kind)).join("; ")}`,
      );
    return `both ended one after another, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function twoStacks(site: Site, exists: boolean): Promise<string> {
  const one = new Service(site, OVERLAP);
  const two = new Service(site, OVERLAP, one);
  try {
    if (exists) await one.up("v1");
    const first = one.deploy("v2");
    const second = two.deploy("v3");
    const [ofOne, ofTwo] = [await one.settle(first), await two.settle(second)];
    if (exists && ofOne.kind !== "ended")
      throw new Error("the stack that has the service could not deploy it");
    if (ofOne.kind === ofTwo.kind) throw new Error(`both ${ofOne.kind}`);
    const [winner, loser, version] = ofOne.kind === "ended" ? [one, ofTwo, "v2"] : [two, ofOne, "v3"];
    await serves(winner, version);
    const why = loser.kind === "failed" ? loser.message : "";
    if (!why.includes(winner.stack)) throw new Error(`the other should be told whose it is: ${why}`);
    return `one of them was refused and told why, ${await judge(winner, { image: "v1" })}`;
  } catch (error) {
    throw withLines(error, two.lines.length > 0 ? two : one);
  }
}

async function deadHolder(site: Site, heirs: 1 | 2): Promise<string> {
  const service = new Service(site, OVERLAP);
  try {
    await service.up("v1");
    const dead = service.deploy("v2", [HELD]);
    await dead.halted(HELD);
    await dead.kill();
    const more = { update: { lockWait: "60s" } };
    const all = Array.from({ length: heirs }, () => service.deploy("v2", [], more));
    const took: number[] = [];
    for (const heir of all) {
      const end = await service.settle(heir);
      if (end.kind !== "ended")
        throw new Error(`an heir ${end.kind}: ${end.kind === "failed" ? end.message : ""}`);
      took.push(heir.lines.filter((line) => line.includes("took over the lock")).length);
    }
    if (Math.max(...took) !== 1) throw new Error("nobody took the lock over");
    return `taken over, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function halfOpen(site: Site): Promise<string> {
  const service = new Service(site, OVERLAP);
  try {
    await service.up("v1");
    const stuck = service.deploy("v2", [HELD], { update: { ...SHORT, lockWait: "1s" } });
    await stuck.halted(HELD);
    const heir = service.deploy("v3", [], { update: { ...SHORT, lockWait: "60s" } });
    const end = await service.settle(heir);
    if (end.kind !== "ended")
      throw new Error(`the heir ${end.kind === "failed" ? `failed: ${end.message}` : end.kind}`);
    if (!heir.lines.some((line) => line.includes("longer than a rollout may take")))
      throw new Error("it was not too old");
    stuck.resume();
    const late = await stuck.ended;
    service.lines.push(...stuck.lines);
    if (late.kind !== "failed") throw new Error(`the first should have failed, and it ${late.kind}`);
    await serves(service, "v3");
    return `taken over when its time was over, the late one touched nothing, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function livingHolder(site: Site): Promise<string> {
  const service = new Service(site, OVERLAP);
  try {
    await service.up("v1");
    const holder = service.deploy("v2", [HELD]);
    await holder.halted(HELD);
    const other = new Service(site, OVERLAP, service);
    const failed = await other.tryUp("v3", { update: { lockWait: "1s" } });
    if (!failed?.includes(`${service.stack}, somebody@here is changing it`))
      throw new Error(`it should have been refused with the holder's name: ${failed ?? "it ended well"}`);
    holder.resume();
    const end = await service.settle(holder);
    return `refused with the holder's name, the holder ${end.kind}, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function prunedLock(site: Site): Promise<string> {
  const service = new Service(site, OVERLAP);
  const cut = "after gate web.next: http :3000/ for 1s";
  try {
    await service.up("v1");
    const first = service.deploy("v2", [cut]);
    await first.halted(cut);
    await site.host.must(["docker", "container", "prune", "-f"]);
    const second = service.deploy("v3");
    const ofSecond = await service.settle(second);
    first.resume();
    const ofFirst = await first.ended;
    service.lines.push(...first.lines);
    if (ofSecond.kind !== "ended") throw new Error(`the second ${ofSecond.kind}`);
    if (ofFirst.kind !== "failed") throw new Error(`the first should have failed, and it ${ofFirst.kind}`);
    await serves(service, "v3");
    return `the second ended, the first touched nothing more, ${await judge(service, { image: "v2", pruned: true })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}

async function removedLock(site: Site): Promise<string> {
  const service = new Service(site, BRIDGED);
  const cut = "after create web.next";
  try {
    await service.up("v1");
    const deployer = service.deploy("v2", [cut]);
    await deployer.halted(cut);
    await site.host.must(["docker", "rm", `slipway.lock.${service.name}`]);
    deployer.resume();
    const end = await service.settle(deployer);
    if (end.kind !== "failed") throw new Error(`it should have failed, and it ${end.kind}`);
    await until("v1 to serve", async () => (await service.served()).join() === "v1");
    return `it touched nothing more, ${await judge(service, { image: "v2" })}`;
  } catch (error) {
    throw withLines(error, service);
  }
}
