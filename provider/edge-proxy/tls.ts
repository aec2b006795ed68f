import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { messageOf } from "../errors";
import { type AcmeSettings, acmeId, CA_PATH, KEEPER_PATH } from "../proxy/acme";
import { KEEP_SCRIPT } from "../proxy/acme-script";
import { DEFAULT_CERTIFICATE, type OwnTls } from "../proxy/certificates";
import type { Fields } from "../values";
import { readAcme } from "./acme-fields";

/** How a proxy does TLS. */
export type Tls =
  | { readonly kind: "off" }
  | { readonly kind: "internal" }
  /** Each a chain and its key as one PEM text, the default one first. Secret. */
  | { readonly kind: "certificates"; readonly pems: readonly string[] }
  /** HAProxy gets them; undefined while something of it is wrong or not known yet. */
  | { readonly kind: "acme"; readonly acme: AcmeSettings | undefined };

/** Reads `tls`: "off", "internal", `{ certificates }`, `{ acme }`. Messages show no certificate and no key. */
export function readTls(fields: Fields): Tls {
  const raw = fields.raw("tls");
  if (raw === undefined) return { kind: "off" };
  if (typeof raw === "string") {
    if (raw === "off" || raw === "internal") return { kind: raw };
    fields.fail("tls", 'must be "off", "internal", { certificates: [...] } or { acme: { email } }');
    return { kind: "off" };
  }
  const nested = fields.object("tls");
  if (nested?.has("acme")) {
    if (nested.has("certificates")) nested.fail("certificates", "cannot stand beside acme");
    const acme = nested.object("acme");
    nested.raw("certificates");
    nested.rejectOthers();
    return { kind: "acme", acme: acme === undefined ? undefined : readAcme(acme) };
  }
  if (nested !== undefined && !nested.has("certificates")) nested.fail("certificates", "or acme is required");
  const pems = nested?.objects("certificates", readCertificate) ?? [];
  nested?.raw("acme");
  nested?.rejectOthers();
  return { kind: "certificates", pems };
}

/** What the proxy makes or gets by itself. */
export function ownTls(tls: Tls): OwnTls {
  if (tls.kind === "internal") return { kind: "internal" };
  if (tls.kind !== "acme" || tls.acme === undefined) return { kind: "none" };
  return { kind: "acme", id: acmeId(tls.acme.directory) };
}

/**
 * The files that certificates are in, by path in the proxy's folder, named by what they hold, so that none is ever
 * overwritten; or those that ACME rests on.
 */
export function certificateFiles(tls: Tls): ReadonlyMap<string, string> {
  if (tls.kind === "acme") {
    const ca = tls.acme?.ca;
    return new Map([[KEEPER_PATH, KEEP_SCRIPT], ...(ca === undefined ? [] : [[CA_PATH, ca] as const])]);
  }
  if (tls.kind !== "certificates") return new Map();
  return new Map(
    tls.pems.map((pem, at) => {
      const hash = createHash("sha256").update(pem).digest("hex").slice(0, 12);
      return [`certs/10-${String(at).padStart(3, "0")}-${hash}.pem`, pem];
    }),
  );
}

/** True for what the program's arguments account for; certificates of routes and names are not, nor is an ACME account. */
export function isProxyCertificate(path: string): boolean {
  return isGivenCertificate(path) || [DEFAULT_CERTIFICATE, CA_PATH, KEEPER_PATH].includes(path);
}

/** True for a certificate that the program gave. */
export function isGivenCertificate(path: string): boolean {
  return path.startsWith("certs/10-");
}

function readCertificate(fields: Fields): string | undefined {
  const certificate = fields.requiredString("certificate");
  const key = fields.requiredString("key");
  fields.rejectOthers();
  if (certificate === undefined || key === undefined) return undefined;
  const parsed = attempt(() => new X509Certificate(certificate));
  const privateKey = attempt(() => createPrivateKey(key));
  if (parsed instanceof Error) return fields.fail("certificate", "is no certificate in PEM form");
  if (privateKey instanceof Error)
    return fields.fail("key", "is no private key in PEM form, without a passphrase");
  if (!parsed.checkPrivateKey(privateKey)) return fields.fail("key", "is not the certificate's");
  return `${certificate.trim()}\n${key.trim()}\n`;
}

function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}
