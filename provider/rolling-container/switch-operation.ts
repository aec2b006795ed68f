import type { Check, ContainerRef } from "./container-ref";
import type { ObservedNetwork, ObservedSwitch } from "../switch/observed-switch";
import type { PublishedBinding } from "../switch/switch-order";

/** One of the two that change places. */
export interface SwitchMember {
  readonly container: ContainerRef;
  readonly check: Check;
  readonly minHealthyMs: number;
  readonly deadlineMs: number;
}

/** How the program on the host bridges the time in which neither has the port. */
export type ProgramWay =
  | { readonly kind: "plain" }
  | {
      readonly kind: "bridged";
      readonly copy: ContainerRef;
      readonly host: ObservedSwitch;
      readonly network: ObservedNetwork;
    };

/** The exchange of the live container for its successor by the program on the host; it goes back by itself. */
export interface SwitchOperation {
  readonly kind: "switch";
  /** The live name: names the program and its rules. */
  readonly service: string;
  /** The one that is to serve: what it says is the evidence. */
  readonly container: ContainerRef;
  /** `restart`: its policy, given back to it when it stays. */
  readonly old: SwitchMember & { readonly restart: string };
  readonly next: SwitchMember;
  readonly way: ProgramWay;
  /** What is served while they change places: ports that the old one holds, as the new one has them. */
  readonly ports: readonly PublishedBinding[];
  /** TCP ports of the old one in its container. */
  readonly oldTcp: readonly number[];
  readonly stopTimeoutMs: number;
  readonly drainMs: number;
  readonly deadlineMs: number;
  readonly backMs: number;
}

/** `switch web to web.next by way of web.try, ports 80/tcp (bridged)`. */
export function formatSwitch({ old, next, way, ports }: SwitchOperation): string {
  const by = way.kind === "bridged" ? ` by way of ${way.copy.name}` : "";
  const places = [...new Set(ports.map(({ host, protocol }) => `${host}/${protocol}`))].join(", ");
  const where = places === "" ? "" : `, ports ${places}`;
  return `switch ${old.container.name} to ${next.container.name}${by}${where} (${way.kind})`;
}
