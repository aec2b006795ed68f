import type { HostFound } from "../../provider/rolling-container/found";
import type { Operation, Step } from "../../provider/rolling-container/operation";
import type { HostPlan } from "../../provider/rolling-container/plan";
import { planRemoval } from "../../provider/rolling-container/plan-finish";
import { PLANNER, type Planner } from "./rollout-model";

type Change = (steps: readonly Step[], found: HostFound) => readonly Step[];

/** A planner whose steps are changed, in a plan as in clearing up. */
function changed(change: Change): Planner {
  const inPlan = (plan: HostPlan, found: HostFound): HostPlan => ({
    ...plan,
    slots: plan.slots.map((slot) => ({ ...slot, steps: change(slot.steps, found) })),
  });
  return {
    ...PLANNER,
    recover: (found, desired) =>
      PLANNER.recover(found, desired).map((row) => ({ ...row, steps: change(row.steps, found) })),
    plan: (found, desired) => inPlan(PLANNER.plan(found, desired), found),
  };
}

function without(drop: (operation: Operation) => boolean): Planner {
  return changed((steps) => steps.filter(({ operation }) => !drop(operation)));
}

/** Puts the steps that `early` picks in front of all others. */
function first(early: (operation: Operation) => boolean): Planner {
  return changed((steps) => [
    ...steps.filter(({ operation }) => early(operation)),
    ...steps.filter(({ operation }) => !early(operation)),
  ]);
}

/** Runs what `dependent` picks at the same time as the step before it. */
function beside(dependent: (operation: Operation, before: Operation | undefined) => boolean): Planner {
  return changed((steps) =>
    steps.map((step, at) =>
      dependent(step.operation, steps[at - 1]?.operation) ? { ...step, beside: true } : step,
    ),
  );
}

function setsPolicy(operation: Operation, restart: string): boolean {
  return operation.kind === "restart-policy" && operation.restart === restart;
}

/** As if the host had nothing of a switch. */
function blind(found: HostFound): HostFound {
  const { switches = {} } = found;
  const none = { program: undefined, unfinished: undefined, files: false, rules: 0, copyAlive: undefined };
  const seen = Object.entries(switches).map(([name, each]) => [name, { ...each, ...none }] as const);
  return { ...found, switches: Object.fromEntries(seen) };
}

/** Planners that break a promise, by what they do: each mistake has been made by a tool that people trust. */
export const MUTANTS: ReadonlyMap<string, Planner> = new Map<string, Planner>([
  ["stops the old one before the gate", first(({ kind }) => kind === "stop")],
  ["lets nobody pass a gate", without(({ kind }) => kind === "gate")],
  [
    "removes the old one at the begin",
    changed((steps, { service }) => [
      ...service.slots.flatMap(({ live }): Step[] =>
        live === undefined || steps.length < 3
          ? []
          : [{ operation: { kind: "remove", container: { name: live.name, id: live.id } }, cause: "" }],
      ),
      ...steps,
    ]),
  ],
  [
    "removes kept ones before the commit",
    {
      ...PLANNER,
      plan: (found, desired) => {
        const plan = PLANNER.plan(found, desired);
        const early = PLANNER.finish(found, desired, new Set([1, 2, 3]));
        return { ...plan, preparation: [...early, ...plan.preparation] };
      },
    },
  ],
  [
    "leaves the old one's policy before it stops it",
    changed((steps) =>
      steps.filter(({ operation, undo }) => undo === undefined || !setsPolicy(operation, "always")),
    ),
  ],
  ["leaves the kept one's policy", without((operation) => setsPolicy(operation, "no"))],
  ["never brings the old one back", changed((steps) => steps.map((step) => ({ ...step, undo: [] })))],
  [
    "lets the new one behind the route before its gate",
    first(({ kind }) => ["create", "start", "ready-server", "write-route"].includes(kind)),
  ],
  ["drains the old one before the new one is ready", first(({ kind }) => kind === "drain-server")],
  [
    "lets the new one in and never the old one out",
    without(({ kind }) => kind === "drain-server" || kind === "remove-server"),
  ],
  ["runs every step beside the one before it", beside(() => true)],
  ["passes a name on while it is still taken", beside(({ kind }) => kind === "rename")],
  ["goes on beside a gate", beside((_, before) => before?.kind === "gate")],
  ["gives the new one requests beside its gate", beside(({ kind }) => kind === "ready-server")],
  ["drains the old one beside letting the new one in", beside(({ kind }) => kind === "drain-server")],
  ["stops the old one beside its drain", beside(({ kind }) => kind === "remove-server" || kind === "stop")],
  ["clears nothing up", { ...PLANNER, recover: () => [] }],
  ["tidies nothing up", { ...PLANNER, finish: () => [] }],
  [
    "removes the former name before the new one passed its gate",
    {
      ...PLANNER,
      plan: (found, desired) => {
        const plan = PLANNER.plan(found, desired);
        const { former } = found;
        if (former === undefined) return plan;
        const early = planRemoval(
          { ...found, service: former, former: undefined, routes: [], switches: {} },
          "",
        );
        return { ...plan, preparation: [...early, ...plan.preparation] };
      },
    },
  ],
  [
    "leaves who serves under the former name as an interrupted run left it",
    { ...PLANNER, recover: (found, desired) => PLANNER.recover({ ...found, former: undefined }, desired) },
  ],
  [
    "removes the former name though nobody proved to serve in its place",
    {
      ...PLANNER,
      finish: (found, desired, proved) =>
        PLANNER.finish(found, desired, proved).filter(
          ({ cause }) => cause !== "it has to serve before the former one goes",
        ),
    },
  ],
  ["renames before the gate", first(({ kind }) => kind === "create" || kind === "rename")],
  [
    "acts beside a program that is at work",
    {
      ...PLANNER,
      recover: (found, desired) => PLANNER.recover(blind(found), desired),
      plan: (found, desired) => PLANNER.plan(blind(found), desired),
    },
  ],
  [
    "takes a copy away that serves while nobody else does",
    {
      ...PLANNER,
      recover: (found, desired) =>
        PLANNER.recover(desired.wasFollowed === true ? blind(found) : found, desired),
    },
  ],
  [
    "leaves what is left of a switch",
    {
      ...changed((steps) => steps.filter(({ operation }) => operation.kind !== "end-switch")),
      finish: (found, desired, proved) => PLANNER.finish(blind(found), desired, proved),
    },
  ],
  [
    "takes what is not ours",
    {
      ...PLANNER,
      plan: (found, desired) => PLANNER.plan(found, { ...desired, adopt: true }),
    },
  ],
]);
