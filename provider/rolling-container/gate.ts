import type { ObservedContainer } from "../container/observed";
import { formatReason } from "../health/evaluate";
import { type Verdict, waitForHealth } from "../health/wait";
import type { HostAccess } from "./host-access";
import type { GateOperation } from "./operation";

/** What a gate found out. */
export type GateResult =
  /** `servedAtMs`: when it first was well, on the run's clock. `container`: as it was seen last. */
  | { readonly kind: "passed"; readonly servedAtMs: number; readonly container: ObservedContainer }
  /** `output`: the check's last one, not cleaned. */
  | { readonly kind: "failed"; readonly why: string; readonly output: string };

/** Waits until a container has proved itself, or has not. */
export async function waitAtGate(
  host: HostAccess,
  gate: GateOperation,
  id: string,
  deadlineMs: number,
): Promise<GateResult> {
  const { session, docker, clock, log, signal } = host;
  const { check, minHealthyMs } = gate;
  const verdict = await waitForHealth({
    session,
    docker,
    id,
    check,
    minHealthyMs,
    deadlineMs,
    clock,
    log,
    signal,
  });
  if (verdict.kind === "good") {
    const servedAtMs = firstGood(verdict, clock.now());
    return { kind: "passed", servedAtMs, container: verdict.container };
  }
  const output = "output" in verdict.reason ? verdict.reason.output : "";
  return { kind: "failed", why: formatReason(verdict.reason), output };
}

function firstGood(verdict: Verdict, now: number): number {
  const asked = verdict.samples.some(({ probe }) => probe !== undefined);
  const good = verdict.samples.find(({ probe, container }) =>
    asked ? probe?.verdict === "pass" : container?.state === "running",
  );
  return good?.atMs ?? now;
}
