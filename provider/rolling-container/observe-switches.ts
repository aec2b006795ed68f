import { liveName } from "../container/names";
import { publishedPorts } from "../container/spec";
import type { Properties } from "../handler";
import type { HostSession, ReadyScript } from "../host/session";
import { isObject } from "../values";
import { serviceOf, type Wanted } from "./inputs";
import { recordedContainers } from "./outputs";
import { lookAtEngine, observeSwitch, parseObservedSwitch } from "../switch/observe-switch";
import type { ObservedSwitch } from "../switch/observed-switch";
import { runsBoth, wishedWay } from "./switch-way";

/** What nobody without root's rights sees. */
const NOTHING = parseObservedSwitch("");

/** The live names whose switches matter: those that may be exchanged by the host, or were when it was left. */
export function switchNames(
  wanted: Pick<Wanted, "service" | "replicas" | "spec" | "update" | "route">,
  former: string | undefined,
  olds: Properties = {},
): readonly string[] {
  const { service, replicas, spec } = wanted;
  if (runsBoth(wishedWay(wanted)) && !mayHaveSwitched(olds)) return [];
  const services = former === undefined ? [service] : [service, former];
  const slots = publishedPorts(spec).length > 0 ? 1 : replicas;
  return services.flatMap((each) => Array.from({ length: slots }, (_, index) => liveName(each, index + 1)));
}

/** The same of what is given up. */
export function recordedSwitchNames(outputs: Properties): readonly string[] {
  if (!mayHaveSwitched(outputs)) return [];
  return [...new Set([serviceOf(outputs), ...recordedContainers(outputs).map(({ name }) => name)])];
}

/** Looks at switches that are ready to be taken, by their live names. */
export type ReadySwitchLooks = ReadonlyMap<string, Promise<ReadyScript>>;

/** Looks at several at once; `networks`: the engine's, which the same look has asked for. */
export async function observeSwitches(
  session: HostSession,
  names: readonly string[],
  signal: AbortSignal,
  networks: Promise<readonly unknown[]>,
  ready: ReadySwitchLooks = new Map(),
): Promise<Readonly<Record<string, ObservedSwitch>>> {
  if (names.length === 0) return {};
  const [{ sudo }, docker] = await Promise.all([session.facts({ signal }), session.docker(signal)]);
  if (sudo === "none") return Object.fromEntries(names.map((name) => [name, NOTHING]));
  const engine = lookAtEngine(docker, networks);
  const look = async (name: string): Promise<readonly [string, ObservedSwitch]> => [
    name,
    await observeSwitch(session, name, signal, { engine, ready: ready.get(name) }),
  ];
  return Object.fromEntries(await Promise.all(names.map(look)));
}

function mayHaveSwitched({ ports, lastRollout, update }: Properties): boolean {
  const published = Array.isArray(ports) && ports.some((port) => isObject(port) && port.host !== undefined);
  const last = isObject(lastRollout) ? lastRollout.switch : undefined;
  const plain = isObject(update) && update.switch === "plain";
  return published || plain || last === "plain" || last === "bridged";
}
