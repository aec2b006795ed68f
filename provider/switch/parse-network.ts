import { isObject } from "../values";
import type { ObservedNetwork } from "./observed-switch";

/** A network as the engine lists it; nothing where it is none. */
export function parseNetwork(parsed: unknown): readonly ObservedNetwork[] {
  if (!isObject(parsed)) return [];
  const text = (of: unknown): string => (typeof of === "string" ? of : "");
  const options = isObject(parsed.Options) ? parsed.Options : {};
  const ipam =
    isObject(parsed.IPAM) && Array.isArray(parsed.IPAM.Config) ? parsed.IPAM.Config.filter(isObject) : [];
  const first4 = ipam.find(({ Subnet }) => !text(Subnet).includes(":"));
  const id = text(parsed.Id);
  const driver = text(parsed.Driver);
  const bridge = text(options["com.docker.network.bridge.name"]) || `br-${id.slice(0, 12)}`;
  const subnet = text(first4?.Subnet) || undefined;
  return [
    {
      id,
      name: text(parsed.Name),
      driver,
      internal: parsed.Internal === true,
      bridge: driver === "bridge" ? bridge : undefined,
      subnet,
      gateway: text(first4?.Gateway).replace(/\/\d+$/, "") || firstAddress(subnet),
      ipv6: parsed.EnableIPv6 === true,
      gatewayMode: text(options["com.docker.network.bridge.gateway_mode_ipv4"]) || "nat",
    },
  ];
}

/** What the engine gives the bridge when the network does not say. */
function firstAddress(subnet: string | undefined): string | undefined {
  const match = /^(\d+\.\d+\.\d+)\.(\d+)\/\d+$/.exec(subnet ?? "");
  return match === null ? undefined : `${match[1] ?? ""}.${Number(match[2]) + 1}`;
}
