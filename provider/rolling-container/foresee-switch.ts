import { formatDuration } from "../duration";
import type { Properties } from "../handler";
import { isObject } from "../values";
import type { Wanted } from "./inputs";
import { wishedWay } from "./switch-way";

/** What preview can say of the next switch without asking a host: which way, why, and the gap to expect. */
export function foreseeSwitch(wanted: Pick<Wanted, "spec" | "update" | "route">, olds: Properties): string {
  const way = wishedWay(wanted);
  const last = lastSwitch(olds);
  const healthy = formatDuration(wanted.update.minHealthyMs);
  switch (way.kind) {
    case "proxied": {
      const drain = formatDuration(wanted.route?.drainTimeoutMs ?? 0);
      return `switch: proxied, without a gap: the new one must be healthy for ${healthy} and ready behind the route before the old one is drained, for at most ${drain}`;
    }
    case "overlap":
      return `switch: without a gap: the new one must be healthy for ${healthy} before the old one is stopped`;
    case "bridged": {
      const bridge = "switch: bridged, without a gap: a copy serves while the containers change places";
      if (wanted.update.switch === "bridged") return `${bridge}; refused where the host does not allow it`;
      if (last?.way === "plain")
        return `${bridge}; where the host does not allow it plain, as the last one was${gapOf(last)}`;
      return last?.way === "bridged"
        ? `${bridge}, as the last time`
        : `${bridge}; plain where the host does not allow it`;
    }
    case "plain":
      return `switch: plain, with a gap of one stop and one start (${way.why})${last?.way === "plain" ? `; the last one${gapOf(last)}` : ""}`;
  }
}

interface LastSwitch {
  readonly way: unknown;
  readonly gapMs: number;
}

function lastSwitch({ lastRollout }: Properties): LastSwitch | undefined {
  // of the first rollout there is no gap to tell
  if (!isObject(lastRollout) || lastRollout.from === undefined) return undefined;
  return { way: lastRollout.switch, gapMs: Number(lastRollout.gapMs) || 0 };
}

function gapOf({ gapMs }: LastSwitch): string {
  return ` (a gap of ${formatDuration(gapMs)})`;
}
