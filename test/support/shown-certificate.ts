import { connect } from "node:tls";
import { selfSignedPem } from "../../provider/proxy/self-signed";

/** A new certificate for a name, with its key, as an EdgeProxy takes it. */
export function newCertificate(name: string): { readonly certificate: string; readonly key: string } {
  const pem = selfSignedPem({ names: [name] });
  const at = pem.indexOf("-----BEGIN PRIVATE KEY");
  return { certificate: pem.slice(0, at), key: pem.slice(at) };
}

/** The names of the certificate that a port of this machine shows to somebody who asks for a name. */
export function namesShown(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.subjectAltName ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
