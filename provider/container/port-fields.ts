import { isIP } from "node:net";
import type { Fields } from "../values";
import type { PortSpec } from "./spec";

const PROTOCOLS = ["tcp", "udp", "sctp"] as const;
const PORT = { min: 1, max: 65_535 };

/** Reads one of `ports`: `{ container, host?, hostIp?, protocol? }`. */
export function readPort(fields: Fields): PortSpec | undefined {
  if (!fields.has("container")) fields.fail("container", "is required");
  const container = fields.integer("container", PORT);
  const host = fields.integer("host", PORT);
  const hostIp = fields.string("hostIp");
  const protocol = fields.oneOf("protocol", PROTOCOLS) ?? "tcp";
  if (hostIp !== undefined && isIP(hostIp) === 0) fields.fail("hostIp", "must be an address of the host");
  if (hostIp !== undefined && !fields.has("host")) fields.fail("hostIp", "needs a host port too");
  fields.rejectOthers();
  if (container === undefined) return undefined;
  return {
    container,
    protocol,
    ...(host === undefined ? {} : { host }),
    ...(hostIp === undefined || isIP(hostIp) === 0 ? {} : { hostIp }),
  };
}
