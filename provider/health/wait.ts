import type Docker from "dockerode";
import type { Clock } from "../clock";
import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import { type Crowd, inCrowd, type Member } from "./crowd";
import { type BadReason, type Demand, foldSample, type Sample, WAIT_BEGIN, type WaitState } from "./evaluate";
import type { Healthcheck, ProbeResult } from "./policy";
import { probe } from "./probe";

export interface WaitOptions {
  readonly session: HostSession;
  readonly docker: Docker;
  /** Container id or name. */
  readonly id: string;
  /**
   * `"docker"`: the container's own HEALTHCHECK, run by our exec so that the verdict does not wait for its interval.
   * `"none"`: running is all that can be asked for. Of a check only test and timeout count here.
   */
  readonly check: Healthcheck | "docker" | "none";
  readonly minHealthyMs: number;
  /** From now. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How a wait ended, with every sample it rests on. */
export type Verdict =
  | { readonly kind: "good"; readonly samples: readonly Sample[]; readonly container: ObservedContainer }
  | {
      readonly kind: "bad";
      readonly samples: readonly Sample[];
      readonly reason: BadReason;
      /** As last seen; undefined when it is gone. */
      readonly container: ObservedContainer | undefined;
    };

const SHORTEST_PAUSE_MS = 250;
/** Each that is being started on the host makes it longer: the engine has those to start, and the last one is asked soonest. */
const SHORTEST_START_PAUSE_MS = 20;
const SHORTEST_FOR_AT_MOST = 10;
const PAUSE_TO_DURATION = 3;
/** Those that wait on one engine ask ten times a second in all, it has others to start meanwhile; but each so often in its time. */
const PAUSE_FOR_EACH_MS = 100;
const ASKED_AT_LEAST = 4;
/** A long gate must not flood the log of a run that nobody watches. */
const TELL_EVERY_MS = 1_000;

/** Probes cost the container something: the next begins three times the last one's duration after its end, 250 ms at least. */
export function pauseAfter(result: ProbeResult | undefined): number {
  const durationMs = result === undefined || result.verdict === "cannot" ? 0 : result.durationMs;
  return Math.max(SHORTEST_PAUSE_MS, PAUSE_TO_DURATION * durationMs);
}

/**
 * Looks at a container, and asks it, until it has been healthy without a break for `minHealthyMs`, or is beyond hope, or
 * `deadlineMs` has passed.
 * @throws only for what says nothing about the container: a lost connection, an abort
 */
export function waitForHealth(options: WaitOptions): Promise<Verdict> {
  return inCrowd(options.session.target, (crowd, member) => wait(options, crowd, member));
}

async function wait(options: WaitOptions, crowd: Crowd, member: Member): Promise<Verdict> {
  const { clock, docker, id, signal } = options;
  const startMs = clock.now();
  const samples: Sample[] = [];
  let container = await observeContainer(docker, id);
  const check = checkFor(options.check, container);
  const kind = typeof check === "string" ? check : "probe";
  const demand: Demand = {
    check: kind,
    startMs,
    minHealthyMs: options.minHealthyMs,
    deadlineMs: options.deadlineMs,
  };
  // the first sample is unasked: it is what later ones are held against
  let sample: Sample = { atMs: startMs, container, probe: undefined };
  let state = WAIT_BEGIN;
  let told = { why: "", atMs: Number.NEGATIVE_INFINITY };
  for (;;) {
    samples.push(sample);
    state = foldSample(state, sample, demand);
    member.isHealthy = state.healthySince !== undefined;
    const { evaluation } = state;
    if (evaluation.kind === "bad") return { kind: "bad", samples, reason: evaluation.reason, container };
    if (evaluation.kind === "good" && container !== undefined) return { kind: "good", samples, container };
    const { atMs } = sample;
    if (evaluation.kind === "wait" && evaluation.why !== told.why && atMs - told.atMs >= TELL_EVERY_MS) {
      told = { why: evaluation.why, atMs };
      options.log.progress(`${container?.name ?? id}: waiting: ${told.why}`);
    }
    // the first probe comes at once
    if (samples.length > 1 || kind !== "probe")
      await clock.sleep(pauseMs(state, sample, demand, clock.now(), crowd), signal);
    signal.throwIfAborted();
    const result = container === undefined ? undefined : await ask(options, container, check);
    // looked at after the probe: a container that died under it must not pass
    container = await observeContainer(docker, id);
    sample = { atMs: clock.now(), container, probe: result };
  }
}

/** Up to the next probe, or the moment from which one decides, if that comes before. */
function pauseMs(
  { healthySince }: WaitState,
  { probe }: Sample,
  demand: Demand,
  now: number,
  { size, starting }: Crowd,
): number {
  const leftMs = demand.startMs + demand.deadlineMs - now;
  const crowdedMs = Math.min(size * PAUSE_FOR_EACH_MS, demand.minHealthyMs / ASKED_AT_LEAST);
  const calmMs = Math.max(pauseAfter(probe), crowdedMs);
  if (healthySince !== undefined)
    return Math.max(0, Math.min(calmMs, leftMs, healthySince + demand.minHealthyMs - now));
  // one that is only starting is asked sooner, so that little of its health is missed
  const shortestMs = SHORTEST_START_PAUSE_MS * Math.min(starting, SHORTEST_FOR_AT_MOST);
  const startingMs = Math.max(shortestMs, (now - demand.startMs) / 2);
  const durationMs = probe?.verdict === "fail" ? probe.durationMs : 0;
  return Math.max(0, Math.min(calmMs, Math.max(startingMs, PAUSE_TO_DURATION * durationMs), leftMs));
}

function checkFor(
  check: WaitOptions["check"],
  container: ObservedContainer | undefined,
): Healthcheck | "docker" | "none" {
  if (check !== "docker" || container === undefined) return check;
  return container.dockerHealthcheck ?? "none";
}

async function ask(
  { session, docker, clock, signal }: WaitOptions,
  container: ObservedContainer,
  check: Healthcheck | "docker" | "none",
): Promise<ProbeResult | undefined> {
  if (typeof check === "string" || container.state !== "running") return undefined;
  return probe(session, docker, container, check.test, { timeoutMs: check.timeoutMs, signal, clock });
}
