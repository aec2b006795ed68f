import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { selfSignedPem } from "../../provider/proxy/self-signed";

/** A new certificate for a name, with its key, as an EdgeProxy takes it. */
export function newCertificate(name: string): { readonly certificate: string; readonly key: string } {
  const pem = selfSignedPem({ names: [name] });
  const at = pem.indexOf("-----BEGIN PRIVATE KEY");
  return { certificate: pem.slice(0, at), key: pem.slice(at) };
}

/** The certificate that a port of this machine shows to somebody who asks for a name. */
export function certificateShown(port: number, servername: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) reject(new Error("no certificate was shown"));
      else resolve(certificate);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** The names of that certificate. */
export async function namesShown(port: number, servername: string): Promise<string> {
  return (await certificateShown(port, servername)).subjectAltName ?? "";
}
