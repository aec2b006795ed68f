import { X509Certificate } from "node:crypto";
import type { AcmeSettings } from "../proxy/acme";
import type { Fields } from "../values";

/** Let's Encrypt's. */
export const DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory";

// characters that mean nothing in HAProxy's files
const EMAIL = /^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/;
const URL_TEXT = /^https:\/\/[A-Za-z0-9.-]+(:[0-9]{1,5})?(\/[A-Za-z0-9._~%/=&?-]*)?$/;

/** Reads `tls.acme`; undefined while it is wrong or not known yet. */
export function readAcme(fields: Fields): AcmeSettings | undefined {
  const email = fields.requiredString("email");
  if (email !== undefined && (email.length > 254 || !EMAIL.test(email)))
    fields.fail("email", "must be an address such as admin@example.com");
  const directory = fields.string("directory") ?? DIRECTORY;
  if (directory.length > 500 || !URL_TEXT.test(directory))
    fields.fail("directory", "must be the https address of an ACME server's directory");
  const ca = fields.string("ca");
  if (ca !== undefined && !isCertificate(ca)) fields.fail("ca", "is no certificate in PEM form");
  fields.rejectOthers();
  if (email === undefined) return undefined;
  return { email, directory, ca: ca === undefined ? undefined : `${ca.trim()}\n` };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false; // the caller says so
  }
}

/** The version that a reference of HAProxy's own image names, such as "haproxy:3.0-alpine"; undefined when it names none. */
export function taggedVersion(image: string): readonly [number, number] | undefined {
  const match = /(?:^|\/)haproxy:v?(\d+)\.(\d+)/.exec(image);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/** True from 3.2 on, which has an ACME client that can be asked for a certificate. */
export function hasAcme([major, minor]: readonly [number, number]): boolean {
  return major > 3 || (major === 3 && minor >= 2);
}
