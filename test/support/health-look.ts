import { type PolicyInputs, readPolicy } from "../../provider/health-policy/inputs";
import type { ContainerHealth, HostHealth, PolicyHealth } from "../../provider/health-policy/observed";
import { Fields } from "../../provider/values";
import { observedContainer } from "./observed-container";

/** A policy for the hosts a and b. */
export const policy = (more: object = {}): PolicyInputs =>
  readPolicy(new Fields({ name: "health", hosts: [{ host: "a" }, { host: "b" }], ...more }));

/** What a look found of a container; its id is `target-name`. */
export const seen = (
  target: string,
  name: string,
  health: PolicyHealth,
  cause = "",
  service = "web",
): ContainerHealth => ({
  target,
  container: observedContainer({ name, id: `${target}-${name}` }),
  isWhole: true,
  service,
  check: "none",
  health,
  cause,
});

export const hostOf = (
  target: string,
  containers: readonly ContainerHealth[],
  locked: readonly string[] = [],
): HostHealth => ({ target, hostKey: `SHA256:${target}`, containers, locked });
