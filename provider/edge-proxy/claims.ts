import type { Properties } from "../handler";
import { machineOf } from "../host/connection";
import { type MachineClaim, MachineClaims } from "../host/machine/machine-claims";
import { recordedMachineIds } from "../host/machine/machine-id";
import type { ProxyInputs } from "./inputs";

/** What an EdgeProxy of this run says of its proxy, and of the machine that has it. */
export interface ProxyClaim extends MachineClaim {
  readonly name: string;
  /** Of its container; empty text where none is known. */
  readonly containerId: string;
}

/** The proxies of this run. */
export const claims = new MachineClaims<ProxyClaim>();

/** What the outputs of an EdgeProxy say. */
export function claimedBy(outputs: Properties, proxy: ProxyInputs, abandonUnreachable: boolean): ProxyClaim {
  const { name, connection } = proxy;
  const machineId = machineIdIn(outputs);
  const containerId = typeof outputs.containerId === "string" ? outputs.containerId : "";
  return { name, address: machineOf(connection), machineId, containerId, abandonUnreachable };
}

/** The machine-id that the outputs record; empty text where they record none. */
export function machineIdIn(outputs: Properties): string {
  return Object.values(recordedMachineIds(outputs))[0] ?? "";
}
