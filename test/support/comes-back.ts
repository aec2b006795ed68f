import type { ModelContainer } from "./docker-model";
import type { RolloutCase } from "./rollout-cases";

/** One whose gate was passed, and whose name was given: from then on it counts. */
export function servesProved(container: ModelContainer): boolean {
  return container.state === "running" && container.proved;
}

/** True when everybody who serves would serve again by himself, whoever comes first to the port, had nobody touched the host. */
export function comesBack({ docker, desired }: RolloutCase): boolean {
  const before = docker.containers.filter(servesProved);
  const forward = docker.containers.map((_, index) => index);
  const isBackIn = (order: readonly number[]): boolean => {
    const alone = docker.copy();
    alone.reboot(order);
    const again = new Set(alone.containers.filter(servesProved).map(({ id }) => id));
    return before.every(({ id }) => again.has(id));
  };
  return desired.limits.restart !== "no" && isBackIn(forward) && isBackIn([...forward].reverse());
}
