import { formatDuration } from "../duration";
import type { Log } from "../log";
import { checkOf } from "./desired";
import { type Execution, formatGap } from "./step-failure";
import { revisionIn, slotOf } from "./found";
import type { RolloutSummary } from "./outputs";
import type { HostRollout } from "./roll-hosts";
import { type SwitchWay, switchWay } from "./switch-way";

type Seen = Pick<HostRollout, "desired" | "before">;

/** Says, before anything is touched, how traffic will move, and what a version has to do to count. */
export function announce({ desired, before }: Seen, log: Log): void {
  const slots = [...before.service.slots, ...(before.former?.slots ?? [])];
  const isServed = slots.some(({ live }) => live?.state === "running");
  if (isServed) announceWay(switchWay(desired, before, 1), desired.update.switch, log);
  if (checkOf(desired) === "none") {
    const least = formatDuration(desired.update.minHealthyMs);
    log.warn(`no healthcheck: a version counts as good when it has run for ${least}`);
  }
}

function announceWay(way: SwitchWay, asked: "auto" | "bridged" | "plain", log: Log): void {
  switch (way.kind) {
    case "overlap":
      return;
    case "proxied":
      return log.progress("proxied switch: the new one is ready behind the route before the old one drains");
    case "bridged": {
      const cautions = way.cautions.map((caution) => `; ${caution}`).join("");
      return log.progress(`bridged switch: a copy serves while the containers change places${cautions}`);
    }
    case "plain": {
      const proof = way.rehearse ? "; a copy without ports proves the version first" : "";
      log.progress(`plain switch, a gap of one stop and one start: ${way.why}${proof}`);
      if (way.withoutProgram !== undefined && asked !== "plain")
        log.warn(`a switch with a gap, done step by step from here: ${way.withoutProgram}`);
    }
  }
}

/** What the outputs tell of a rollout. */
export function summarize(
  { before, desired }: Seen,
  { gapMs, operations, way }: Execution,
  durationMs: number,
): RolloutSummary {
  const previous = slotOf(before.service, 1).live ?? slotOf(before.former, 1).live;
  return {
    revision: desired.revision,
    ...(previous === undefined ? {} : { from: revisionIn(previous) }),
    switch: way ?? switchWay(desired, before, 1).kind,
    durationMs,
    gapMs,
    operations,
  };
}

/** The line that stays: what was done, how long it took, and the gap. */
export function formatSummary({ revision, from, switch: way, durationMs, gapMs }: RolloutSummary): string {
  const how = way === "overlap" ? "" : ` by a ${way} switch`;
  const gap = from === undefined ? "" : `${how}, ${formatGap({ gapMs })}`;
  return `revision ${revision} serves${gap} (${formatDuration(durationMs)})`;
}
