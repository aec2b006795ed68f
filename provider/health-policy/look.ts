import { isSlipwayError, messageOf } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { withTimeLimit } from "../health/time-limit";
import { recordedLedger, type Spent } from "./budget";
import type { PolicyInputs } from "./inputs";
import { observeHost } from "./observe";
import type { HostHealth } from "./observed";
import { formatPlan, nameOf, operationsOf, planRepairs } from "./plan";
import type { Reach } from "./reach";
import { recordedUnhealthy } from "./report";

/** For all hosts together, dialling included: preview must not wait for a host that is down. */
const LOOK_MS = 3_000;
/** Leaves time for the dial before it and the answers after it. */
const LONGEST_PROBE_MS = 1_500;

/**
 * A short look at the hosts for diff: true when there is something to repair, or when the report says unhealthy of
 * what is well now. The causes are kept lines; so is what could not be looked at, which counts as no change.
 */
export async function lookForRepairs(
  policy: PolicyInputs,
  recorded: Properties,
  makeReach: (signal: AbortSignal) => Reach,
  context: Pick<HandlerContext, "log" | "clock" | "signal">,
): Promise<boolean> {
  const { clock, log } = context;
  const limit = { timeoutMs: LOOK_MS, clock, signal: context.signal };
  const targets = makeReach(context.signal).targets;
  const looks = await Promise.all(
    targets.map(async (target): Promise<readonly HostHealth[]> => {
      try {
        const look = await withTimeLimit(limit, (signal) =>
          makeReach(signal).on(target, (session, docker) =>
            observeHost(policy, {
              ...{ session, docker, clock, signal },
              longestProbeMs: LONGEST_PROBE_MS,
              details: "for-repairs",
            }),
          ),
        );
        if (look.kind === "done") return [look.value];
        log.keep(`could not look at ${target}: no answer within 3s`);
      } catch (error) {
        if (context.signal.aborted) throw error;
        log.keep(
          `could not look at ${target}: ${isSlipwayError(error) ? error.parts.why : messageOf(error)}`,
        );
      }
      return [];
    }),
  );
  const spent = { ledger: recordedLedger(recorded), nowMs: clock.wall() };
  return judgeLook(policy, recorded, looks.flat(), spent, (line) => log.keep(line));
}

/** Pure: whether what was seen calls for an update, with the causes said. */
export function judgeLook(
  policy: PolicyInputs,
  recorded: Properties,
  hosts: readonly HostHealth[],
  spent: Spent,
  say: (line: string) => void,
): boolean {
  const plan = planRepairs(policy, hosts, spent);
  const known = recordedUnhealthy(recorded);
  const wanted = operationsOf(plan).filter((operation) => {
    if (operation.kind === "restart") return true;
    // what is not to be restarted is something to say where the report is not yet what is so
    return operation.kind === "leave" && !operation.excused && !known.includes(nameOf(operation.subject));
  });
  if (wanted.length > 0) say(formatPlan({ lanes: [{ service: "", width: 1, operations: wanted }] }));
  const well = hosts
    .flatMap(({ containers }) => containers)
    .filter(
      ({ health, container }) =>
        health === "healthy" || (health === "unchecked" && container.state === "running"),
    )
    .map(nameOf)
    .filter((name) => known.includes(name));
  if (well.length > 0) say(`healthy again: ${well.join(", ")}`);
  return wanted.length > 0 || well.length > 0;
}
