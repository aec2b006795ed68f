import type Docker from "dockerode";
import type { Clock } from "../clock";
import { LABEL } from "../container/labels";
import { formatDuration } from "../duration";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import { parseHealthcheck } from "../health/label";
import type { Healthcheck, ProbeResult } from "../health/policy";
import { probe } from "../health/probe";
import { pauseAfter } from "../health/wait";
import type { HostSession } from "../host/session";
import type { PolicyHealth } from "./observed";
import type { Details } from "./survey";

export interface ExamineContext {
  readonly session: HostSession;
  readonly docker: Docker;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A probe of ours is cut off after so long, whatever the check's own timeout. */
  readonly longestProbeMs: number;
  readonly details: Details;
}

export interface Finding {
  readonly health: PolicyHealth;
  readonly cause: string;
}

/** A container just started may fail for so long, even where its check grants no startPeriod. */
const GRACE_MS = 10_000;
const NOTHING: Finding = { health: "unchecked", cause: "" };
/** Docker starts again what ends; one that ended so often since it was last started by hand, and ends again, is not coming up. */
const CRASHES = 2;

/** The check that counts for a container: that of our label, else Docker's. A command is Docker's to run, wherever it stands. */
export function effectiveCheck(container: ObservedContainer): Healthcheck | "none" {
  const declared = parseHealthcheck(container.labels[LABEL.healthcheck] ?? "") ?? "none";
  return isOurs(declared) ? declared : (container.dockerHealthcheck ?? declared);
}

/** A check over http or tcp: Docker's word, if it has one, is then that of the image, and does not count. */
export function isOurs(check: Healthcheck | "none"): boolean {
  return check !== "none" && check.test.kind !== "command";
}

/** The health of one container: Docker's word where Docker runs the check that counts, else our own probes. */
export async function examine(
  container: ObservedContainer,
  check: Healthcheck | "none",
  context: ExamineContext,
): Promise<Finding> {
  if (container.state !== "running") return judgeStopped(container);
  const isDockers = container.hasDockerHealthcheck && !isOurs(check);
  // Docker's word, which a list gives without the check itself
  if (isDockers && container.health === "healthy") return { health: "healthy", cause: "" };
  if (check === "none") return judgeUnchecked(container, context);
  if (!isDockers) return askItself(container, check, context);
  if (container.health === "unhealthy") return { health: "unhealthy", cause: "its HEALTHCHECK fails" };
  // Docker's first word comes after a whole interval: ours comes now
  const result = await ask(container, check, context);
  return result.verdict === "pass"
    ? { health: "healthy", cause: "" }
    : { health: "starting", cause: "it is starting" };
}

/** One between two crashes runs, too: its next end decides. */
async function judgeUnchecked(container: ObservedContainer, context: ExamineContext): Promise<Finding> {
  if (container.restartCount < CRASHES || (await ageMsOf(container, context)) >= GRACE_MS) return NOTHING;
  return { health: "starting", cause: `it has just been started again, ${times(container)} by now` };
}

/** What a container that does not run is to be thought of. Others' stopped containers may be stopped on purpose. */
export function judgeStopped(container: ObservedContainer): Finding {
  const ours = container.labels[LABEL.service] !== undefined;
  switch (container.state) {
    case "restarting":
      return container.restartCount < CRASHES
        ? { health: "starting", cause: `it ended with code ${container.exitCode} and is being restarted` }
        : {
            health: "unhealthy",
            cause: `it is crash-looping: it ended with code ${container.exitCode} and was restarted ${times(container)}`,
          };
    case "paused":
      return { health: "unchecked", cause: "it is paused" };
    case "exited":
    case "dead":
      if (!ours || !shouldRun(container)) return NOTHING;
      return { health: "unhealthy", cause: `it exited with code ${container.exitCode}` };
    default:
      return NOTHING;
  }
}

function shouldRun({ restartPolicy, exitCode }: ObservedContainer): boolean {
  if (restartPolicy === "on-failure") return exitCode !== 0;
  return restartPolicy === "always" || restartPolicy === "unless-stopped";
}

/** As Docker would: `retries` failures in a row, but without its intervals. */
async function askItself(
  container: ObservedContainer,
  check: Healthcheck,
  context: ExamineContext,
): Promise<Finding> {
  for (let failures = 1; ; failures++) {
    const result = await ask(container, check, context);
    if (result.verdict === "pass") return { health: "healthy", cause: "" };
    if (result.verdict === "cannot") return { health: "unchecked", cause: result.reason };
    if (result.hung === true || failures >= check.retries) {
      return (await isYoung(container, check, context))
        ? { health: "starting", cause: "it is starting" }
        : { health: "unhealthy", cause: result.hung === true ? hangs(check, context) : "its check fails" };
    }
    await context.clock.sleep(pauseAfter(result), context.signal);
  }
}

/** A look that waits for less than the check may take does not know that it hangs. */
function hangs({ timeoutMs }: Healthcheck, { longestProbeMs }: ExamineContext): string {
  if (longestProbeMs >= timeoutMs) return "its check hangs";
  const [waited, granted] = [longestProbeMs, timeoutMs].map(formatDuration);
  return `its check has not answered within ${waited}, and may take ${granted}`;
}

async function ask(
  container: ObservedContainer,
  check: Healthcheck,
  { session, docker, clock, signal, longestProbeMs }: ExamineContext,
): Promise<ProbeResult> {
  const timeoutMs = Math.min(check.timeoutMs, longestProbeMs);
  return probe(session, docker, container, check.test, { timeoutMs, signal, clock });
}

async function isYoung(
  container: ObservedContainer,
  check: Healthcheck,
  context: ExamineContext,
): Promise<boolean> {
  return (await ageMsOf(container, context)) < Math.max(check.startPeriodMs, GRACE_MS);
}

/** Since its start, which a list does not tell. Both times are the daemon's own: this machine's clock may be another. */
async function ageMsOf(container: ObservedContainer, context: ExamineContext): Promise<number> {
  const { docker } = context;
  const [said, startedAt] = await inTime(
    context,
    "asking the engine for its time",
    LOOK_MS,
    async () =>
      Promise.all([
        docker.info() as Promise<unknown>,
        container.startedAt || observeContainer(docker, container.id).then((whole) => whole?.startedAt ?? ""),
      ]),
    UNTOUCHED,
  );
  const { SystemTime } = said as { readonly SystemTime?: string };
  return Date.parse(SystemTime ?? "") - Date.parse(startedAt);
}

function times({ restartCount }: ObservedContainer): string {
  return restartCount === 1 ? "once" : `${restartCount} times`;
}
