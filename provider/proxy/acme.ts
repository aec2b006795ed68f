import { createHash, generateKeyPairSync } from "node:crypto";
import { INSIDE } from "./ref";

/** What a proxy's own ACME client (HAProxy's) works with. */
export interface AcmeSettings {
  /** Of the ACME server. */
  readonly directory: string;
  /** Told to the ACME server with the account. */
  readonly email: string;
  /** PEM of the authority that the ACME server itself shows; undefined: those that the image trusts. */
  readonly ca: string | undefined;
}

/** Tells the files of one ACME server from those of another: its account, and the certificates that are from it. */
export function acmeId(directory: string): string {
  return createHash("sha256").update(directory).digest("hex").slice(0, 8);
}

/** The account's private key; root's alone. */
export function accountKeyPath(id: string): string {
  return `acme/${id}.key`;
}

/** A map of HAProxy with the account key's thumbprint, which is what every challenge is answered with. */
export function accountMapPath(id: string): string {
  return `acme/${id}.map`;
}

/** What HAProxy verifies the ACME server by, where the program gave it. */
export const CA_PATH = "acme/ca.pem";

/** The program that a timer of the host starts. */
export const KEEPER_PATH = "acme/keep";

/** The proxy's own configuration: what its ACME account is, if it has one, stands there. */
export const PROXY_PATH = "conf/00-proxy.cfg";

/** The configuration that says which certificate is got for which name; it has to come before the port that shows them. */
export const STORE_PATH = "conf/00-certificates.cfg";

/** The section of HAProxy's configuration. */
export const ACME_SECTION = "slipway";

/** A new account, by path in the proxy's folder. Secret: the key is among them. */
export function newAccount(id: string): ReadonlyMap<string, string> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { crv, kty, x, y } = publicKey.export({ format: "jwk" });
  // RFC 7638: these members, in this order, without blanks
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
  return new Map([
    [accountKeyPath(id), privateKey.export({ type: "pkcs8", format: "pem" }).toString()],
    [accountMapPath(id), `account ${thumbprint}\n`],
  ]);
}

/** Lines of HAProxy's `global`. */
export function acmeGlobals({ ca }: AcmeSettings): readonly string[] {
  return [
    "expose-experimental-directives",
    // without it an image that trusts nobody would talk to anybody
    `httpclient.ssl.ca-file ${ca === undefined ? "@system-ca" : `${INSIDE}/${CA_PATH}`}`,
    "httpclient.ssl.verify required",
    "httpclient.resolvers.prefer ipv4",
  ];
}

/** The section of the client itself. */
export function acmeSection({ directory, email }: AcmeSettings): readonly string[] {
  return [
    `acme ${ACME_SECTION}`,
    `directory ${directory}`,
    `contact ${email}`,
    `account-key ${INSIDE}/${accountKeyPath(acmeId(directory))}`,
    "challenge HTTP-01",
    "keytype ECDSA",
    "curves P-256",
  ];
}

/**
 * Answers a challenge by the account's thumbprint alone, which every process has: one that is asked after a reload, and the
 * copy that serves in an exchange, need nothing of the one that asked for the certificate.
 */
export function challengeLine({ directory }: AcmeSettings): string {
  const token = "%[path,field(-1,/)]";
  const thumbprint = `%[str(account),map(${INSIDE}/${accountMapPath(acmeId(directory))})]`;
  return `http-request return status 200 content-type text/plain lf-string "${token}.${thumbprint}" if { path_reg ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]+$ }`;
}
