import { type MachineClaim, MachineClaims } from "../../host/machine/machine-claims";

/** What a DockerHost of this run says of its machine. */
export interface Claim extends MachineClaim {
  /** `user@address:port`, for messages. */
  readonly target: string;
  /** Of the engine that runs there; empty text where none does, or while it is changed. */
  readonly version: string;
}

/** The machines of this run's DockerHosts. */
export const claims = new MachineClaims<Claim>();

/** The machine is being changed: what it runs is not known until that has ended well. */
export function suspendClaim(urn: string): void {
  const claim = claims.of(urn);
  if (claim !== undefined) claims.claim(urn, { ...claim, version: "" });
}

/** What the machines of the other resources run, as far as they are done: `28.5.2 on root@a:22, root@b:22; 26.1.5 on …`. */
export function versionsElsewhere(urn: string): string | undefined {
  const targets = new Map<string, string[]>();
  for (const { target, version } of claims.others(urn)) {
    if (version === "") continue;
    const same = targets.get(version);
    if (same === undefined) targets.set(version, [target]);
    else same.push(target);
  }
  const parts = [...targets].map(([version, names]) => `${version} on ${names.join(", ")}`);
  return parts.length === 0 ? undefined : parts.join("; ");
}
