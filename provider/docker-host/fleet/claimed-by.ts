import type { Properties } from "../../handler";
import { machineOfTarget } from "../../host/connection";
import { recordedMachineIds } from "../../host/machine/machine-id";
import type { Claim } from "./claims";

/** What the outputs of a DockerHost say of its machine. */
export function claimedBy(outputs: Properties, abandonUnreachable: boolean): Claim {
  const [target] = Array.isArray(outputs.targets) ? (outputs.targets as unknown[]) : [];
  const name = typeof target === "string" ? target : "";
  const machineId = recordedMachineIds(outputs)[name] ?? "";
  const version = typeof outputs.version === "string" ? outputs.version : "";
  return { address: machineOfTarget(name), machineId, abandonUnreachable, target: name, version };
}
