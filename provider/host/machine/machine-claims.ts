/** What a resource of this run says of a machine that it has, or has a part of. */
export interface MachineClaim {
  /** `address:port`. */
  readonly address: string;
  /** Empty text where the machine has none, or none is known. */
  readonly machineId: string;
  readonly abandonUnreachable: boolean;
}

/**
 * Who has which machine, among the resources of one kind in this run. One process serves one operation, and deletes come last in
 * it: what is deleted then can look whether another resource (a replacement, a new name) has taken its machine over. Nothing of
 * it is needed in the next operation.
 */
export class MachineClaims<C extends MachineClaim> {
  readonly #claims = new Map<string, C>();

  /** Notes what the resource says now; one without a URN could not be told from others, and claims nothing. */
  claim(urn: string, claim: C): void {
    if (urn !== "") this.#claims.set(urn, claim);
  }

  /** What the resource of this URN said last. */
  of(urn: string): C | undefined {
    return this.#claims.get(urn);
  }

  /** What all the other resources said last. */
  others(urn: string): readonly C[] {
    return [...this.#claims].filter(([other]) => other !== urn).map(([, claim]) => claim);
  }

  /**
   * The address under which another resource, or the one that replaced this, has the machine; undefined when nobody has.
   * @param isSame whether it has the same of that machine; by default all of the machine is meant
   */
  elsewhere(
    urn: string,
    { address, machineId }: Pick<MachineClaim, "address" | "machineId">,
    isSame: (claim: C) => boolean = () => true,
  ): string | undefined {
    for (const [other, claim] of this.#claims) {
      const isOwn = other === urn && claim.address === address;
      const isThere = claim.address === address || (machineId !== "" && claim.machineId === machineId);
      if (!isOwn && isThere && isSame(claim)) return claim.address;
    }
    return undefined;
  }

  /** The resource is gone, and with it what it said; what replaced it at another address stays. */
  forget(urn: string, address: string): void {
    if (this.#claims.get(urn)?.address === address) this.#claims.delete(urn);
  }
}
