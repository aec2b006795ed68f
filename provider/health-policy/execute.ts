import { allEnded } from "../all-ended";
import { captureEvidence } from "../container/evidence";
import { bringBack } from "./bring-back";
import type { Lane, Operation, RepairPlan } from "./plan";
import type { ExecuteContext, Repaired } from "./repaired";

/** Runs a plan: its lanes at once, in each lane as many operations as it is wide. */
export async function executePlan(plan: RepairPlan, context: ExecuteContext): Promise<readonly Repaired[]> {
  const done = await allEnded(plan.lanes.map((lane) => executeLane(lane, context)));
  return done.flat();
}

async function executeLane(lane: Lane, context: ExecuteContext): Promise<readonly Repaired[]> {
  const waiting = [...lane.operations];
  const done: Repaired[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      done.push(await executeOperation(next, context));
    }
  };
  await allEnded(Array.from({ length: lane.width }, worker));
  return done;
}

function executeOperation(operation: Operation, context: ExecuteContext): Promise<Repaired> {
  const { subject } = operation;
  if (operation.kind === "leave") return leave(operation, context);
  return context.reach.on(subject.target, (session, docker) =>
    bringBack(operation, { ...context, session, docker }),
  );
}

/** What is left alone is told of all the same; what is not excused with what it says for itself. */
async function leave(
  { subject, reason, excused, gaveUp }: Extract<Operation, { kind: "leave" }>,
  { reach, signal }: ExecuteContext,
): Promise<Repaired> {
  const { container, health, target } = subject;
  const output = excused
    ? ""
    : await reach.on(target, (session, docker) =>
        captureEvidence({ session, docker, signal }, container.id, container.healthOutput),
      );
  return { subject, container, health, restartedAt: [], reason, output, excused, gaveUp };
}
