import { CUTS, isInGap, isInSwitch } from "../cuts";
import { cutOf } from "../cut";
import {
  type Disaster,
  DISASTERS,
  ENGINE_LIVE,
  KILL,
  KILL_ENGINE,
  KILL_PRUNE,
  KILL_REBOOT,
  PROGRAM,
  PRUNE,
  PROXY_DISASTERS,
  PROXY_MUTE,
  SWITCH_DISASTERS,
} from "../disaster";
import type { FaultCase } from "../fault-case";
import { judge, mustEnd } from "../oracle";
import { Service } from "../service";
import type { Site } from "../site";
import { OVERLAP, PROXIED, siteOf, type Way, WAYS } from "../way";
import { withLines } from "../with-lines";

/**
 * The deployer is killed at every point. All else befalls those after which the host looks another way to whoever comes next:
 * other containers run, or under other names, policies or rules. After the rest (a gate, a tag) it stands as before them.
 */
const DISTINCT: ReadonlySet<string> = new Set([
  "after create web.next",
  "after start web.next",
  "after start web.try",
  "switch ruled",
  "switch oldstopped",
  "switch nextstarted",
  "switch unruled",
  "after route web.next ready",
  "after rename web to web.REVISION",
  "after rename web.next to web",
  "after drain web.REVISION",
  "after remove server web.REVISION",
]);
/** What the next run finds after these is what another disaster left, but for who is interrupted there. */
const WHO_SERVES: ReadonlySet<string> = new Set([
  "after start web.next",
  "after start web.try",
  "switch ruled",
  "switch oldstopped",
  "switch nextstarted",
  "switch unruled",
  "after route web.next ready",
  "after rename web to web.REVISION",
  "after drain web.REVISION",
]);
/** Where the proxy is about to be told something, or has just been. */
const PROXY_TOLD: ReadonlySet<string> = new Set([
  "after start web.next",
  "after route web.next ready",
  "after rename web.next to web",
  "after drain web.REVISION",
]);

function points(way: Way, disaster: Disaster): readonly string[] {
  const all = CUTS[way.name];
  if (disaster === KILL) return all;
  if (disaster === PROGRAM) return all.filter(isInSwitch);
  const distinct = all.filter((cut) => DISTINCT.has(cut));
  // each wait for a proxy that says nothing has its limit, which is a minute in all
  if (disaster === PROXY_MUTE)
    return [...PROXY_TOLD].filter((cut) => way === PROXIED && / ready$|after drain /.test(cut));
  if (PROXY_DISASTERS.includes(disaster))
    return way === PROXIED ? all.filter((cut) => PROXY_TOLD.has(cut)) : [];
  if (SWITCH_DISASTERS.includes(disaster)) return distinct.filter(isInSwitch);
  // killed and pruned is what an interrupted switch or a plain prune leaves; killed and restarted what a reboot does
  if (disaster === KILL_PRUNE) return distinct.filter((cut) => way === OVERLAP || isInSwitch(cut));
  if (disaster === KILL_ENGINE) return way === OVERLAP ? distinct : [];
  // the one that served is stopped then, and has no tag of ours yet
  if (disaster === PRUNE) return all.filter((cut) => DISTINCT.has(cut) || cut === "after stop web.REVISION");
  // the containers go on under live-restore: only calls are cut off; a line is lost with the host's power, too
  const isShort = disaster === ENGINE_LIVE || (way === PROXIED && disaster === KILL_REBOOT);
  return isShort ? distinct.filter((cut) => WHO_SERVES.has(cut)) : distinct;
}
const QUICK: ReadonlySet<string> = new Set([
  "overlap: deployer killed after start web.next",
  "overlap: deployer killed after rename web to web.REVISION",
  "bridged: deployer killed after start web.try",
  "proxied: deployer killed after route web.next ready",
  "bridged: deployer killed at the switch's oldstopped",
  "plain: deployer killed at the switch's oldstopped",
  "bridged: line cut at the switch's nextstarted",
  "bridged: deployer and switch program killed at the switch's nextstarted",
]);

/** Every disaster at the points of a swap, in each way. */
export const SWAP_CASES: readonly FaultCase[] = [
  ...WAYS.map((way) => whole(way)),
  ...WAYS.flatMap((way) =>
    [...DISASTERS, ...SWITCH_DISASTERS, ...PROXY_DISASTERS].flatMap((disaster) =>
      points(way, disaster).map((cut) => swapCase(way, disaster, cut)),
    ),
  ),
];

function swapCase(way: Way, disaster: Disaster, cut: string): FaultCase {
  const name = `${way.name}: ${disaster.name} ${cut.replace(/^switch /, "at the switch's ")}`;
  return {
    name,
    did: `swap from v1 to v2; at "${cut}": ${disaster.did}`,
    ...siteOf(way),
    ...(QUICK.has(name) ? { quick: true as const } : {}),
    ...(disaster.liveRestore ? { liveRestore: true as const } : {}),
    run: (site) => struck(site, way, disaster, cut),
  };
}

const AWAY = /^warn .*the proxy "edge" does not run/;

async function struck(site: Site, way: Way, disaster: Disaster, cut: string): Promise<string> {
  const service = new Service(site, way);
  await service.up("v1");
  const deployer = service.deploy("v2", [cut]);
  try {
    await deployer.halted(cut);
    await disaster.strike(site, deployer, service.name);
    const end = await service.settle(deployer);
    if (disaster.proxyAway && end.kind === "ended" && !service.lines.some((line) => AWAY.test(line)))
      throw new Error("the deployer ended well, and did not say that the proxy does not run");
    const seen = await judge(service, {
      image: "v2",
      ...(disaster.restarted ? { restarted: true } : {}),
      ...(disaster.pruned ? { pruned: true } : {}),
      ...(disaster.powerLost && way.entrance === "port" ? { engineMayForget: true } : {}),
      ...(disaster.proxyAway ? { proxyAway: true, downBecause: disaster.proxyAway } : {}),
      ...(isInGap(way, cut) && disaster.pruned
        ? { downBecause: "live one and candidate stood still, and were pruned" }
        : {}),
    });
    return `the deployer ${end.kind === "ended" ? "finished" : end.kind}, ${seen}`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await deployer.kill();
  }
}

/** The points above are all that there are: one that a swap gets anew has to be cut, too. */
function whole(way: Way): FaultCase {
  return {
    name: `${way.name}: every operation of a swap is cut`,
    did: "an undisturbed swap; its operations are compared with the points that the cases cut at",
    ...siteOf(way),
    async run(site) {
      const service = new Service(site, way);
      await service.up("v1");
      const deployer = service.deploy("v2");
      const end = await service.settle(deployer);
      if (end.kind !== "ended") throw withLines(new Error(`it ${end.kind}`), service);
      const cuts = deployer.lines.flatMap((line) => {
        const space = line.indexOf(" ");
        return cutOf(line.slice(0, space), line.slice(space + 1), service.name) ?? [];
      });
      const known: ReadonlySet<string> = new Set(CUTS[way.name]);
      const missed = cuts.filter((cut) => /^(after|switch) /.test(cut) && !known.has(cut));
      const gone = CUTS[way.name].filter((cut) => !cuts.includes(cut));
      await mustEnd(service);
      if (missed.length + gone.length > 0)
        throw new Error(
          `not cut at: ${missed.join("; ") || "none"}. Not there any more: ${gone.join("; ") || "none"}`,
        );
      return `${CUTS[way.name].length} points`;
    },
  };
}
