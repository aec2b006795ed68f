import type { ObservedContainer } from "../container/observed";
import { formatDuration } from "../duration";
import type { ProbeResult } from "./policy";

/** One look at a container: its state and, where it was asked, what the probe before that look found. */
export interface Sample {
  /** On the clock that the wait runs on. */
  readonly atMs: number;
  /** Undefined: there is no such container. */
  readonly container: ObservedContainer | undefined;
  /** Undefined: it was not asked, since it does not run or has no check that we can run. */
  readonly probe: ProbeResult | undefined;
}

/** What the wait demands. */
export interface Demand {
  /** `probe`: our own probes decide; `docker`: Docker's health status does; `none`: running is all that can be said. */
  readonly check: "probe" | "docker" | "none";
  /** When the wait began. */
  readonly startMs: number;
  /** How long the container must be healthy without a break. */
  readonly minHealthyMs: number;
  /** How long after the beginning the wait gives up. */
  readonly deadlineMs: number;
}

/** Why a container is bad. `output` is the check's last one, not cleaned. */
export type BadReason =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "oom-killed"; readonly code: number }
  | { readonly kind: "restarted" }
  | { readonly kind: "removed" }
  | { readonly kind: "hung"; readonly output: string }
  | { readonly kind: "unaskable"; readonly why: string }
  | { readonly kind: "late"; readonly why: string; readonly deadlineMs: number; readonly output: string };

export type Evaluation =
  | { readonly kind: "good" }
  | { readonly kind: "wait"; readonly why: string }
  | { readonly kind: "bad"; readonly reason: BadReason; readonly since: number };

/** The state of a wait after some samples; folded, never changed. */
export interface WaitState {
  readonly evaluation: Evaluation;
  /** The first look at the container: another start or restart count than this is a restart. */
  readonly first: ObservedContainer | undefined;
  /** When the present unbroken health began; undefined while it is not healthy. */
  readonly healthySince: number | undefined;
}

/** Before the first sample. */
export const WAIT_BEGIN: WaitState = {
  evaluation: { kind: "wait", why: "not looked at yet" },
  first: undefined,
  healthySince: undefined,
};

/** The state after one more sample. A state that is good or bad stays so. */
export function foldSample(state: WaitState, sample: Sample, demand: Demand): WaitState {
  if (state.evaluation.kind !== "wait") return state;
  const first = state.first ?? sample.container;
  const fatal = fatalReason(first, sample);
  if (fatal !== undefined) {
    return {
      first,
      healthySince: undefined,
      evaluation: { kind: "bad", reason: fatal, since: sample.atMs },
    };
  }
  const trouble = troubleOf(sample, demand.check);
  const healthySince = trouble === undefined ? (state.healthySince ?? sample.atMs) : undefined;
  return { first, healthySince, evaluation: judge(sample, demand, trouble, healthySince) };
}

/** All samples of a wait at once. */
export function evaluate(samples: readonly Sample[], demand: Demand): Evaluation {
  return samples.reduce((state, sample) => foldSample(state, sample, demand), WAIT_BEGIN).evaluation;
}

/** The reason as the middle of a sentence: `exited with code 1`. Without the check's output. */
export function formatReason(reason: BadReason): string {
  switch (reason.kind) {
    case "exited":
      return `exited with code ${reason.code}`;
    case "oom-killed":
      return `was killed for want of memory (exit code ${reason.code})`;
    case "restarted":
      return "restarted by itself";
    case "removed":
      return "was removed by somebody";
    case "hung":
      return "its check hung";
    case "unaskable":
      return `there is no way to ask it: ${reason.why}`;
    case "late":
      return `was not healthy within ${formatDuration(reason.deadlineMs)} (${reason.why})`;
  }
}

function judge(
  sample: Sample,
  demand: Demand,
  trouble: string | undefined,
  healthySince: number | undefined,
): Evaluation {
  const healthyMs = healthySince === undefined ? 0 : sample.atMs - healthySince;
  if (healthySince !== undefined && healthyMs >= demand.minHealthyMs) return { kind: "good" };
  const why = trouble ?? `healthy for ${formatDuration(healthyMs)} of ${formatDuration(demand.minHealthyMs)}`;
  if (sample.atMs - demand.startMs < demand.deadlineMs) return { kind: "wait", why };
  const reason = { kind: "late", why, deadlineMs: demand.deadlineMs, output: outputOf(sample) } as const;
  return { kind: "bad", reason, since: sample.atMs };
}

/** What no further waiting can mend. */
function fatalReason(first: ObservedContainer | undefined, sample: Sample): BadReason | undefined {
  const { container, probe } = sample;
  if (container === undefined || container.state === "removing") return { kind: "removed" };
  if (container.state === "exited" || container.state === "dead") {
    return { kind: container.oomKilled ? "oom-killed" : "exited", code: container.exitCode };
  }
  if (container.state === "restarting" || wasRestarted(first, container)) return { kind: "restarted" };
  if (probe?.verdict === "fail" && probe.hung === true) return { kind: "hung", output: probe.output };
  return probe?.verdict === "cannot" ? { kind: "unaskable", why: probe.reason } : undefined;
}

/** The first start of a container that was seen as created is no restart. */
function wasRestarted(first: ObservedContainer | undefined, now: ObservedContainer): boolean {
  if (first === undefined) return false;
  if (first.restartCount !== now.restartCount) return true;
  return first.state !== "created" && first.startedAt !== now.startedAt;
}

/** Why the container is not healthy at this sample; undefined when it is. */
function troubleOf({ container, probe }: Sample, check: Demand["check"]): string | undefined {
  if (container?.state !== "running") return `it is ${container?.state ?? "gone"}`;
  switch (check) {
    case "none":
      return undefined;
    case "docker":
      return container.health === "healthy" ? undefined : `Docker says ${container.health}`;
    case "probe":
      if (probe === undefined) return "not asked yet";
      return probe.verdict === "pass" ? undefined : "its check fails";
  }
}

function outputOf({ container, probe }: Sample): string {
  if (probe?.verdict === "fail") return probe.output;
  return container?.healthOutput ?? "";
}
