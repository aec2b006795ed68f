import { machineOfTarget } from "../host/connection";

/** A service that a resource of this run says is its own, and where. */
export interface ServiceClaim {
  readonly urn: string;
  readonly service: string;
  /** `user@address:port`; who logs in makes no other machine. */
  readonly targets: readonly string[];
}

/** Where somebody else of this run has the same service. */
export interface Conflict {
  readonly urn: string;
  readonly target: string;
}

// One process serves one operation, and check sees every resource of the program in it: two that claim one service would
// swap each other's containers away in turns. Nothing of it is needed in the next operation.
const claims = new Map<string, ServiceClaim>();

/** Notes what a resource says now, in place of what it said before; gives the first place that another one has claimed. */
export function claimService(claim: ServiceClaim): Conflict | undefined {
  claims.set(claim.urn, claim);
  for (const other of claims.values()) {
    if (other.urn === claim.urn || other.service !== claim.service) continue;
    const theirs = new Set(other.targets.map(machineOfTarget));
    const target = claim.targets.find((each) => theirs.has(machineOfTarget(each)));
    if (target !== undefined) return { urn: other.urn, target };
  }
  return undefined;
}
