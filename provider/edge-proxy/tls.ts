import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { messageOf } from "../errors";
import { INTERNAL_CERTIFICATE } from "../proxy/certificates";
import type { Fields } from "../values";

/** How a proxy does TLS. */
export type Tls =
  | { readonly kind: "off" }
  | { readonly kind: "internal" }
  /** Each a chain and its key as one PEM text, the default one first. Secret. */
  | { readonly kind: "certificates"; readonly pems: readonly string[] };

const NOT_YET = 'is not available yet: give `{ certificates }`, or "internal" for self-signed ones';

/** Reads `tls`: "off", "internal", `{ certificates }`; ACME is said not to be there yet. Messages show no value. */
export function readTls(fields: Fields): Tls {
  const raw = fields.raw("tls");
  if (raw === undefined) return { kind: "off" };
  if (typeof raw === "string") {
    if (raw === "off" || raw === "internal") return { kind: raw };
    fields.fail("tls", 'must be "off", "internal" or { certificates: [...] }');
    return { kind: "off" };
  }
  const nested = fields.object("tls");
  if (nested?.has("acme")) nested.fail("acme", NOT_YET);
  else if (nested !== undefined && !nested.has("certificates")) nested.fail("certificates", "is required");
  const pems = nested?.objects("certificates", readCertificate) ?? [];
  nested?.raw("acme");
  nested?.rejectOthers();
  return { kind: "certificates", pems };
}

/** The files that certificates are in, by path in the proxy's folder. Named by what they hold, so that none is ever overwritten. */
export function certificateFiles(tls: Tls): ReadonlyMap<string, string> {
  if (tls.kind !== "certificates") return new Map();
  return new Map(
    tls.pems.map((pem, at) => {
      const hash = createHash("sha256").update(pem).digest("hex").slice(0, 12);
      return [`certs/10-${String(at).padStart(3, "0")}-${hash}.pem`, pem];
    }),
  );
}

/** True for a certificate that the program's arguments account for; routes' own ones are not. */
export function isProxyCertificate(path: string): boolean {
  return path.startsWith("certs/10-") || path === INTERNAL_CERTIFICATE;
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
