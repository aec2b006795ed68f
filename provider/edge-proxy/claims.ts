import type { Properties } from "../handler";
import { machineOf } from "../host/connection";
import { recordedMachineIds } from "../host/machine/machine-id";
import type { ProxyInputs } from "./inputs";

/** What an EdgeProxy of this run says of its proxy, and of the machine that has it. */
export interface ProxyClaim {
  readonly name: string;
  /** `address:port`. */
  readonly address: string;
  /** Empty text where the machine has none, or none is recorded. */
  readonly machineId: string;
  /** Of its container; empty text where none is known. */
  readonly containerId: string;
  readonly abandonUnreachable: boolean;
}

// One process serves one operation, and deletes come last in it: what is deleted then can look whether another resource
// (a replacement, a new name) has taken the proxy over. Nothing of it is needed in the next operation.
const claims = new Map<string, ProxyClaim>();

/** Notes what the resource says now; one without a URN could not be told from others, and claims nothing. */
export function claimProxy(urn: string, claim: ProxyClaim): void {
  if (urn !== "") claims.set(urn, claim);
}

/** What the resource of this URN said last. */
export function claimOf(urn: string): ProxyClaim | undefined {
  return claims.get(urn);
}

/** The address under which another resource, or the one that replaced this, has the proxy; undefined when nobody has. */
export function otherClaim(
  urn: string,
  { name, address, machineId }: Pick<ProxyClaim, "name" | "address" | "machineId">,
): string | undefined {
  for (const [other, claim] of claims) {
    const isOwn = other === urn && claim.address === address;
    const isSame = claim.address === address || (machineId !== "" && claim.machineId === machineId);
    if (!isOwn && isSame && claim.name === name) return claim.address;
  }
  return undefined;
}

/** The resource is gone, and with it what it said. */
export function forgetClaim(urn: string, address: string): void {
  if (claims.get(urn)?.address === address) claims.delete(urn);
}

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
