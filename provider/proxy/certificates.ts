import { createHash } from "node:crypto";
import { ACME_SECTION } from "./acme";
import { isAcmeName } from "./acme-name";
import { INSIDE } from "./ref";
import type { RouteEntry } from "./route-file";
import { selfSignedPem } from "./self-signed";

/** Certificates that a proxy makes or gets by itself. */
export type OwnTls =
  | { readonly kind: "none" }
  /** Self-signed, one for each route. */
  | { readonly kind: "internal" }
  /** From the ACME server of this id, one for each host name. */
  | { readonly kind: "acme"; readonly id: string };

const OF_ROUTES = "certs/50-";
const OF_NAMES = "certs/60-";

/** The certificate of a proxy with certificates of its own, for clients that name no host of a route. */
export const DEFAULT_CERTIFICATE = "certs/00-internal.pem";

const ACCOUNT_LINE = /^ +account-key \/slipway\/acme\/([0-9a-f]{8})\.key$/m;

/** The first line of a self-signed certificate that is shown until there is another one; what HAProxy got has none such. */
export const PLACEHOLDER = "slipway placeholder";

/** What a proxy does with this configuration and these certificates. */
export function ownTlsOf(configuration: string, certificates: Iterable<string>): OwnTls {
  const id = ACCOUNT_LINE.exec(configuration)?.[1];
  if (id !== undefined) return { kind: "acme", id };
  return [...certificates].includes(DEFAULT_CERTIFICATE) ? { kind: "internal" } : { kind: "none" };
}

/** True for a certificate that a proxy of ours made for a route. */
function isRouteCertificate(path: string): boolean {
  return path.startsWith(OF_ROUTES);
}

/** True for a certificate from an ACME server, or the one that is shown until there is one. */
export function isAcmeCertificate(path: string): boolean {
  return path.startsWith(OF_NAMES);
}

/** Where a route's own certificate is; it is named by its host names, so that one that is there is the right one. */
export function routeCertificate({ service, hosts }: Pick<RouteEntry, "service" | "hosts">): string {
  const hash = createHash("sha256").update(hosts.join("\n")).digest("hex").slice(0, 8);
  return `${OF_ROUTES}${service}.${hash}.pem`;
}

/** Where the certificate of one name from one ACME server is. */
export function acmeCertificate(name: string, id: string): string {
  return `${OF_NAMES}${name}.${id}.pem`;
}

/** The name that such a path is for. */
export function nameOfCertificate(path: string): string | undefined {
  return /^certs\/60-(.+)\.[0-9a-f]{8}\.pem$/.exec(path)?.[1];
}

/** Names that an ACME server can be asked for by HTTP-01: no wildcard, no address. Each once, sorted. */
export function acmeNames(entries: readonly Pick<RouteEntry, "protocol" | "hosts">[]): readonly string[] {
  const names = entries.flatMap(({ protocol, hosts }) => (protocol === "http" ? hosts : []));
  return [...new Set(names.filter(isAcmeName))].sort();
}

/** The configuration that says which certificate is got for which name; the script on the host writes the same. */
export function certificateStore(names: readonly string[], id: string): string | undefined {
  if (names.length === 0) return undefined;
  const lines = names.map(
    (name) => `    load crt ${INSIDE}/${acmeCertificate(name, id)} acme ${ACME_SECTION} domains "${name}"\n`,
  );
  return `crt-store\n${lines.join("")}`;
}

/** Certificates to write and to remove so that each of these routes has its own; `present` are paths in the folder. */
export interface CertificateChange {
  readonly files: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/**
 * Brings the routes' own certificates to these routes; where the proxy has none of its own they all go. New ones have new
 * keys: secret. Those from an ACME server may be other routes' too, so that the script on the host takes them away.
 */
export function routeCertificates(
  entries: readonly RouteEntry[],
  present: readonly string[],
  tls: OwnTls,
): CertificateChange {
  const isPresent = (path: string): boolean => present.includes(path);
  if (tls.kind === "acme") {
    const missing = acmeNames(entries).filter((name) => !isPresent(acmeCertificate(name, tls.id)));
    const files = missing.map((name) => [acmeCertificate(name, tls.id), placeholderPem(name)] as const);
    return { files: new Map(files), removed: present.filter(isRouteCertificate) };
  }
  const wanted = new Map(
    entries
      .filter(({ protocol, hosts }) => tls.kind === "internal" && protocol === "http" && hosts.length > 0)
      .map((entry) => [routeCertificate(entry), entry.hosts]),
  );
  const missing = [...wanted].filter(([path]) => !isPresent(path));
  return {
    files: new Map(missing.map(([path, names]) => [path, selfSignedPem({ names })])),
    removed: present.filter((path) => isRouteCertificate(path) && !wanted.has(path)),
  };
}

function placeholderPem(name: string): string {
  return `${PLACEHOLDER}\n${selfSignedPem({ names: [name] })}`;
}
