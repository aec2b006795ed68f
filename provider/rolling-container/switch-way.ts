import { liveName } from "../container/names";
import { type ContainerSpec, publishedPorts, sharesWritableMount, usesHostNetwork } from "../container/spec";
import type { Route } from "../proxy/route";
import type { HostFound } from "./found";
import { bridgedConditions, whyNoProgram } from "../switch/conditions";
import type { ObservedNetwork, ObservedSwitch } from "../switch/observed-switch";
import type { UpdateSettings } from "./update-settings";

/** How a slot's containers change places. */
export type SwitchWay =
  /** Both run for a moment behind the service's proxy: the new one is ready there before the old one drains. No gap. */
  | { readonly kind: "proxied" }
  /** Both run for a moment: the new one is gated while the old one serves. No gap. */
  | { readonly kind: "overlap" }
  /** A copy of the new one serves behind the host's rules while the containers change places. No gap. */
  | {
      readonly kind: "bridged";
      readonly host: ObservedSwitch;
      readonly network: ObservedNetwork;
      /** What is not without a gap even so, in words. */
      readonly cautions: readonly string[];
    }
  /** Only one may run, or have the port: stop, start. */
  | PlainWay;

export interface PlainWay {
  readonly kind: "plain";
  readonly why: string;
  /** A copy without ports proves the version first. */
  readonly rehearse: boolean;
  /** Why the host cannot do it by itself, so that it is done step by step from here; undefined where it can. */
  readonly withoutProgram: string | undefined;
}

/** What the way rests on, beside the host. */
export interface SwitchSubject {
  readonly spec: ContainerSpec;
  readonly update: Pick<UpdateSettings, "switch">;
  readonly route?: Route | undefined;
}

/** What the program alone says about the way; whether the host allows a bridged switch is seen when it is looked at. */
export type WishedWay =
  | { readonly kind: "proxied" }
  | { readonly kind: "overlap" }
  | { readonly kind: "bridged" }
  | Omit<PlainWay, "withoutProgram">;

/** The way that a spec asks for, before any host was looked at. */
export function wishedWay({ spec, update, route }: SwitchSubject): WishedWay {
  const alone = (why: string): WishedWay => ({ kind: "plain", rehearse: false, why });
  if (update.switch === "plain") return alone('switch is "plain"');
  if (sharesWritableMount(spec)) return alone("both would write to one mount");
  if (usesHostNetwork(spec)) return alone("it has the host's network");
  if (route !== undefined) return { kind: "proxied" };
  const ports = publishedPorts(spec);
  if (ports.length === 0) return { kind: "overlap" };
  if (spec.devices !== undefined && spec.devices.length > 0 && update.switch !== "bridged")
    return alone("both would use its devices");
  const sctp = ports.find(({ protocol }) => protocol === "sctp");
  if (sctp !== undefined)
    return { kind: "plain", rehearse: true, why: `port ${sctp.host}/sctp is published` };
  return { kind: "bridged" };
}

/** True where old and new run beside each other, and nobody has to make way first. */
export function runsBoth({ kind }: Pick<WishedWay, "kind">): boolean {
  return kind === "overlap" || kind === "proxied";
}

/** The way that a slot takes on a host, and why. */
export function switchWay(
  desired: SwitchSubject & { readonly service: string },
  { switches }: Pick<HostFound, "switches">,
  slot: number,
): SwitchWay {
  const wished = wishedWay(desired);
  if (wished.kind === "overlap" || wished.kind === "proxied") return wished;
  const seen = switches?.[liveName(desired.service, slot)];
  const withoutProgram = seen === undefined ? "the host was not asked" : whyNoProgram(seen);
  if (wished.kind === "plain") return { ...wished, withoutProgram };
  const plain = (why: string): PlainWay => ({ kind: "plain", rehearse: true, why, withoutProgram });
  const ports = publishedPorts(desired.spec);
  if (seen === undefined)
    return plain(`host port ${ports.map(({ host }) => host).join(", ")} can be held by one only`);
  const networkMode = desired.spec.networks?.[0] ?? "default";
  const choice = bridgedConditions(seen, { networkMode, ports, sharesWritableMount: false });
  if (choice.kind === "plain") return plain(choice.why);
  return { kind: "bridged", host: seen, network: choice.network, cautions: choice.cautions };
}
