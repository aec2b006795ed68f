import { isObject } from "../../values";
import { type Connection, machineOfTarget, targetOf } from "../connection";

/**
 * The fingerprint that an earlier run recorded in the outputs' `hostKeys` for this machine: the same address and port,
 * whoever logs in. Undefined where the connection does not learn keys (`accept-new`) or nothing was recorded.
 */
export function recordedHostKeyOf(
  outputs: { readonly hostKeys?: unknown },
  connection: Connection,
): string | undefined {
  if (connection.hostKeyPolicy !== "accept-new" || !isObject(outputs.hostKeys)) return undefined;
  const target = targetOf(connection);
  const recorded = Object.entries(outputs.hostKeys);
  const [, key] =
    recorded.find(([other]) => other === target) ??
    recorded.find(([other]) => machineOfTarget(other) === machineOfTarget(target)) ??
    [];
  return typeof key === "string" && key !== "" ? key : undefined;
}
