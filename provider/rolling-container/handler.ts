import { formatDuration } from "../duration";
import type { CheckResult, Created, DiffResult, Handler, HandlerContext, Properties } from "../handler";
import { targetOf } from "../host/connection";
import { recordedHosts, targetsOf } from "../host/connection-fields";
import { canonicalJson, hasUnknown } from "../values";
import { recordedHostKeys, sameMachine } from "./hosts";
import { parseWanted, readInputs, type Wanted } from "./inputs";
import { driftIn, type RecordedContainer, recordedContainers } from "./outputs";
import { switchWay } from "./plan-switch";
import { readService } from "./read";
import { removeService } from "./removal";
import { rollOut } from "./rollout";

/** A service on one host or several: swapped only after the new version passed its gate. */
export const rollingContainerHandler: Handler = {
  check(_olds: Properties, news: Properties): Promise<CheckResult> {
    const { failures, hosts, specHash } = readInputs(news);
    return Promise.resolve({ inputs: { ...news, targets: targetsOf(hosts), specHash }, failures });
  },

  diff(_id: string, olds: Properties, news: Properties, { log }: HandlerContext): Promise<DiffResult> {
    const drift = driftIn(olds);
    if (drift !== undefined) log.keep(`${drift}: it will be put right`);
    else if (swaps(olds, news)) announceSwitch(news, (line) => log.keep(line));
    return Promise.resolve({ changes: drift === undefined ? undefined : true });
  },

  async create(inputs: Properties, context: HandlerContext): Promise<Created> {
    const wanted = parseWanted(inputs);
    return { id: wanted.service, outputs: await rollOut({ wanted, inputs, olds: undefined }, context) };
  },

  async read(id: string, outputs: Properties, context: HandlerContext): Promise<Created> {
    return { id, outputs: await readService(outputs, context) };
  },

  update(_id: string, olds: Properties, news: Properties, context: HandlerContext): Promise<Properties> {
    const wanted = parseWanted(news);
    if (nothingOnHostsDiffers(olds, news, wanted)) {
      const isSameWay = canonicalJson(olds.hosts) === canonicalJson(news.hosts);
      context.log.keep(isSameWay ? "nothing touched" : "connection only, nothing touched");
      return Promise.resolve(reconnected(olds, news, wanted));
    }
    return rollOut({ wanted, inputs: news, olds }, context);
  },

  delete(_id: string, outputs: Properties, context: HandlerContext): Promise<void> {
    return removeService(outputs, context);
  },
};

/** What the machines know nothing of. A machine that died must not be asked whether it may be abandoned. */
const NOT_ON_HOSTS = ["hosts", "targets", "abandonUnreachable"];

/** The same machines, reached in another way or with another word for the dead ones, and nothing else. */
function nothingOnHostsDiffers(olds: Properties, news: Properties, { hosts }: Wanted): boolean {
  const before = recordedHosts(olds);
  const same =
    before.length === hosts.length &&
    hosts.every((host, at) => before.some((old, b) => b === at && sameMachine(old, host)));
  const isEqual = (key: string): boolean => canonicalJson(olds[key]) === canonicalJson(news[key]);
  if (!same || driftIn(olds) !== undefined || NOT_ON_HOSTS.every(isEqual)) return false;
  const keys = new Set([...Object.keys(news), ...ARGUMENTS_THAT_MAY_GO.filter((key) => key in olds)]);
  return [...keys].every((key) => NOT_ON_HOSTS.includes(key) || key.startsWith("__") || isEqual(key));
}

// outside the spec (whose hash tells); outputs hold more keys than arguments
const ARGUMENTS_THAT_MAY_GO = [
  ...["image", "replicas", "restart", "memory", "cpus", "pidsLimit", "update", "keepPrevious", "triggers"],
  ...["registries", "pull", "adopt"],
];

/** The old outputs under the new inputs; a host's clear name changes with its user. */
function reconnected(olds: Properties, news: Properties, { hosts }: Wanted): Properties {
  const names = new Map(recordedHosts(olds).map((old, at) => [targetOf(old), targetOf(hosts[at] ?? old)]));
  const keys = Object.entries(recordedHostKeys(olds)).map(([target, key]) => [
    names.get(target) ?? target,
    key,
  ]);
  const containers = recordedContainers(olds).map((container): RecordedContainer => {
    return { ...container, host: names.get(container.host) ?? container.host };
  });
  const recorded = Object.entries(olds).filter(([key]) => key !== "abandonUnreachable");
  return {
    ...Object.fromEntries(recorded),
    ...news,
    containers,
    hostKeys: Object.fromEntries(keys) as Properties,
  };
}

function swaps(olds: Properties, news: Properties): boolean {
  return ["specHash", "image", "name"].some((key) => !hasUnknown(news[key]) && olds[key] !== news[key]);
}

function announceSwitch(news: Properties, say: (line: string) => void): void {
  const { wanted } = readInputs(news);
  if (wanted === undefined) return;
  const way = switchWay(wanted);
  const healthy = formatDuration(wanted.update.minHealthyMs);
  const text =
    way.kind === "overlap"
      ? `without a gap: the new one must be healthy for ${healthy} before the old one is stopped`
      : `plain, with a gap of one stop and one start (${way.why})`;
  say(`switch: ${text}`);
}
