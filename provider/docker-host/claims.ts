/** What a DockerHost of this run says of its machine. */
export interface Claim {
  /** `address:port`. */
  readonly address: string;
  /** Empty text where the machine has none. */
  readonly machineId: string;
  readonly abandonUnreachable: boolean;
}

// One process serves one operation, and deletes come last in it: what is deleted then can look whether another resource
// (a replacement, a new name) has taken the machine over. Nothing of it is needed in the next operation.
const claims = new Map<string, Claim>();

/** Notes what the resource says now. */
export function claimMachine(urn: string, claim: Claim): void {
  claims.set(urn, claim);
}

/** What the resource of this URN that stays says. */
export function claimOf(urn: string): Claim | undefined {
  return claims.get(urn);
}

/** The address under which another resource, or the one that replaced this, has the machine; undefined when nobody has. */
export function otherClaim(urn: string, { address, machineId }: Omit<Claim, "abandonUnreachable">) {
  for (const [other, claim] of claims) {
    const isOwn = other === urn && claim.address === address;
    const isSame = claim.address === address || (machineId !== "" && claim.machineId === machineId);
    if (!isOwn && isSame) return claim.address;
  }
  return undefined;
}

/** The resource is gone, and with it what it said. */
export function forgetClaim(urn: string, address: string): void {
  if (claims.get(urn)?.address === address) claims.delete(urn);
}
