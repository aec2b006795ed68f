import { createHash } from "node:crypto";
import type { RouteEntry } from "./route-file";
import { selfSignedPem } from "./self-signed";

/** The certificate of a proxy that makes its own ones, for clients that name no host of a route. Its being there says so. */
export const INTERNAL_CERTIFICATE = "certs/00-internal.pem";

const OF_ROUTES = "certs/50-";

/** True for a certificate that a proxy of ours made for a route. */
export function isRouteCertificate(path: string): boolean {
  return path.startsWith(OF_ROUTES);
}

/** Where a route's own certificate is; it is named by its host names, so that one that is there is the right one. */
export function routeCertificate({ service, hosts }: Pick<RouteEntry, "service" | "hosts">): string {
  const hash = createHash("sha256").update(hosts.join("\n")).digest("hex").slice(0, 8);
  return `${OF_ROUTES}${service}.${hash}.pem`;
}

/** Certificates to write and to remove so that each of these routes has its own; `present` are paths in the folder. */
export interface CertificateChange {
  readonly files: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/**
 * Brings the routes' own certificates to these routes. `internal`: the proxy makes its own ones; else they all go.
 * New ones have new keys: secret.
 */
export function routeCertificates(
  entries: readonly RouteEntry[],
  present: readonly string[],
  internal: boolean,
): CertificateChange {
  const wanted = new Map(
    entries
      .filter(({ protocol, hosts }) => internal && protocol === "http" && hosts.length > 0)
      .map((entry) => [routeCertificate(entry), entry.hosts]),
  );
  const missing = [...wanted].filter(([path]) => !present.includes(path));
  return {
    files: new Map(missing.map(([path, names]) => [path, selfSignedPem({ names })])),
    removed: present.filter((path) => isRouteCertificate(path) && !wanted.has(path)),
  };
}
