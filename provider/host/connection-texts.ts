import { type Fields, UNKNOWN } from "../values";

/** Reads `host`: one address or name; what else people write there is told where it goes. */
export function readAddress(fields: Fields): string | undefined {
  const host = fields.requiredString("host");
  if (host === undefined || host === UNKNOWN) return host;
  if (isIpv6(host) || (!/[\s@:/*?!,#'"\\]/.test(host) && !host.startsWith("-"))) return host;
  // some passwords stand in front of an @, so that only its own shape is repeated
  const shown = host.includes("@") && host.includes(":") ? "" : `, not "${host.slice(0, 60)}"`;
  fields.fail("host", `must be an address or a name alone${shown}${placeOf(host)}`);
  return undefined;
}

/** Reads the path of a file; a file's text there would be shown by Pulumi and in errors. */
export function readPath(fields: Fields, name: string): string | undefined {
  const path = fields.string(name);
  if (path === undefined || path === UNKNOWN || !/[\n\r\0]|-----BEGIN /.test(path)) return path;
  const where = name === "privateKeyPath" ? ": a key's text goes into privateKey" : "";
  fields.fail(name, `must be a path, and holds the text of a file${where}`);
  return undefined;
}

/** Reads the text of a private key. */
export function readKeyField(fields: Fields): string | undefined {
  const key = fields.string("privateKey");
  if (key === undefined || key === UNKNOWN || !/^[~./][^\n]*$/.test(key)) return key;
  fields.fail("privateKey", "must be the text of a key, and holds a path: that goes into privateKeyPath");
  return undefined;
}

function placeOf(host: string): string {
  if (/^[a-z]+:\/\//i.test(host)) return "";
  if (host.includes("@")) return ": the user goes into user";
  return /^[^:]+:\d+$/.test(host) ? ": the port goes into port" : "";
}

/** With its zone, where it has one (`fe80::1%eth0`). */
function isIpv6(host: string): boolean {
  return /^[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(host) && host.split(":").length > 2;
}
