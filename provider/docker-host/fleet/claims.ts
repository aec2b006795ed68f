/** What a DockerHost of this run says of its machine. */
export interface Claim {
  /** `address:port`. */
  readonly address: string;
  /** Empty text where the machine has none. */
  readonly machineId: string;
  readonly abandonUnreachable: boolean;
  /** `user@address:port`, for messages. */
  readonly target: string;
  /** Of the engine that runs there; empty text where none does, or while it is changed. */
  readonly version: string;
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

/** The machine is being changed: what it runs is not known until that has ended well. */
export function suspendClaim(urn: string): void {
  const claim = claims.get(urn);
  if (claim !== undefined) claims.set(urn, { ...claim, version: "" });
}

/** What the machines of the other resources run, as far as they are done: `28.5.2 on root@a:22, root@b:22; 26.1.5 on …`. */
export function versionsElsewhere(urn: string): string | undefined {
  const targets = new Map<string, string[]>();
  for (const [other, { target, version }] of claims) {
    if (other === urn || version === "") continue;
    const same = targets.get(version);
    if (same === undefined) targets.set(version, [target]);
    else same.push(target);
  }
  const parts = [...targets].map(([version, names]) => `${version} on ${names.join(", ")}`);
  return parts.length === 0 ? undefined : parts.join("; ");
}

/** The address under which another resource, or the one that replaced this, has the machine; undefined when nobody has. */
export function otherClaim(urn: string, { address, machineId }: Pick<Claim, "address" | "machineId">) {
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
