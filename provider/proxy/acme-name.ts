/** Whether an ACME server can be asked for a name by HTTP-01: for no wildcard, and for no address. */
export function isAcmeName(host: string): boolean {
  return !host.startsWith("*") && !/^[0-9.]+$/.test(host);
}
