import { isLocked } from "../container/held-lock";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import { LABEL } from "../container/labels";
import { candidateName, copyName, liveName, lockName } from "../container/names";
import type { ObservedContainer } from "../container/observed";
import { type ExamineContext, effectiveCheck, examine } from "./examine";
import type { PolicyInputs, Scope } from "./inputs";
import type { ContainerHealth, HostHealth } from "./observed";
import { type Surveyed, surveyContainers } from "./survey";

/**
 * One look at a host: every container in the policy's scope, and the locks of services.
 * @throws SlipwayError engine-unreachable when the engine does not answer in time
 */
export async function observeHost(policy: PolicyInputs, context: ExamineContext): Promise<HostHealth> {
  const { session, docker } = context;
  const [all, locked] = await Promise.all([
    inTime(
      context,
      "looking at the containers",
      LOOK_MS,
      () => surveyContainers(docker, scopeLabels(policy.scope), context.details),
      UNTOUCHED,
    ),
    inTime(
      context,
      "looking at the locks of services",
      LOOK_MS,
      (signal) => observeLocks({ ...context, signal }),
      UNTOUCHED,
    ),
  ]);
  const containers = await Promise.all(
    all.filter(({ container }) => inScope(container, policy)).map((surveyed) => healthOf(surveyed, context)),
  );
  return {
    target: session.target,
    hostKey: session.hostKey,
    containers,
    locked: [...locked, ...inSwitch(all.map(({ container }) => container))],
  };
}

async function healthOf({ container, isWhole }: Surveyed, context: ExamineContext): Promise<ContainerHealth> {
  const check = effectiveCheck(container);
  const finding = await examine(container, check, context);
  const subject = {
    ...{ target: context.session.target, container, isWhole, check, ...finding },
    service: container.labels[LABEL.service],
  };
  if (isWhole || finding.health === "healthy" || finding.health === "unchecked") return subject;
  // our own check found it ill: the engine, which knows nothing of that, was not asked for more than a list
  const whole = await inTime(
    context,
    `looking at ${container.name}`,
    LOOK_MS,
    () => observeContainer(context.docker, container.id),
    UNTOUCHED,
  );
  return whole === undefined ? subject : { ...subject, container: whole, isWhole: true };
}

/** Kept revisions, candidates, copies and locks are a deployment's, not the policy's. */
export function inScope(container: ObservedContainer, policy: Pick<PolicyInputs, "services">): boolean {
  if (container.name.startsWith(lockName(""))) return false;
  const service = container.labels[LABEL.service];
  if (policy.services !== undefined && (service === undefined || !policy.services.includes(service))) {
    return false;
  }
  return (
    service === undefined || container.name === liveName(service, Number(container.labels[LABEL.slot] ?? 1))
  );
}

/**
 * Services whose containers change places: the program on the host goes on when the deployer who held the lock has died, and a
 * live one that is started under its hands would take the port.
 */
export function inSwitch(all: readonly ObservedContainer[]): readonly string[] {
  const named = (name: string): ObservedContainer | undefined => all.find((each) => each.name === name);
  return all.flatMap((container) => {
    const service = container.labels[LABEL.service];
    const slot = Number(container.labels[LABEL.slot] ?? 1);
    if (service === undefined || container.name !== liveName(service, slot)) return [];
    const candidate = named(candidateName(service, slot));
    const helpers = [candidate, named(copyName(service, slot))];
    const isStopped = container.state === "exited" && container.restartPolicy === "always";
    const isAtIt =
      helpers.some((each) => each?.state === "running") || (isStopped && candidate !== undefined);
    return isAtIt ? [service] : [];
  });
}

function scopeLabels(scope: Scope): readonly string[] {
  switch (scope.kind) {
    case "owned":
      return [LABEL.service];
    case "label":
      return [scope.label];
    case "all":
      return [];
  }
}

/** Services that a deployment is changing now; a lock that a dead one left holds nobody up. */
async function observeLocks({ session, docker, signal }: ExamineContext): Promise<readonly string[]> {
  const prefix = lockName("");
  const filters = { name: [prefix] };
  const found = await docker.listContainers({ all: true, filters, abortSignal: signal });
  const services = found
    .flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, "")))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  const held = await Promise.all(services.map((service) => isLocked(session, docker, service, signal)));
  return services.filter((_, index) => held[index]);
}
