import { createHash } from "node:crypto";
import { canonicalJson } from "../../values";
import { type HostKeyDemand, hostKeyAlgorithms } from "../host-key/host-key";
import type { Route } from "../ssh-config/route";

/**
 * What two borrowers must have in common to share a connection, as a digest: the whole route as it was looked up, and the
 * credentials. The last machine's key demand is no part of it (every borrower checks for itself) but for the types of key
 * asked for; the bastions' are. Nor is how patiently it is dialled.
 */
export function sharedRouteKey(route: Route, demand: HostKeyDemand): string {
  const shared = {
    ...withoutPatience(route),
    hostKey: undefined,
    knownHosts: undefined,
    hostKeyPolicy: undefined,
  };
  const agent = process.env.SSH_AUTH_SOCK;
  return digest({ route: shared, agent, types: hostKeyAlgorithms(demand) });
}

/** The key of a connection that only those share who demand the same of the machine's key. */
export function strictRouteKey(route: Route, demand: HostKeyDemand): string {
  const { accepted, revoked, acceptNew } = demand;
  return digest({
    route: sharedRouteKey(route, demand),
    accepted: accepted.map(({ fingerprint }) => fingerprint),
    revoked: revoked.map(({ key }) => key),
    acceptNew,
  });
}

function withoutPatience({ proxy, ...route }: Route): object {
  const patient = { ...route, dialErrorLimit: undefined, perDialTimeout: undefined };
  return proxy === undefined ? patient : { ...patient, proxy: withoutPatience(proxy) };
}

function digest(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
