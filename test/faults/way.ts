import type { Properties } from "../../provider/handler";

/** A way to switch, and what makes a service go it. */
export interface Way {
  readonly name: "bridged" | "overlap" | "plain";
  readonly publishes: boolean;
  readonly update: Properties;
}

/** Both run for a moment, nothing is published. */
export const OVERLAP: Way = { name: "overlap", publishes: false, update: {} };
/** A published port and no proxy: what `auto` chooses there. */
export const BRIDGED: Way = { name: "bridged", publishes: true, update: {} };
/** Stop first. */
export const PLAIN: Way = { name: "plain", publishes: true, update: { switch: "plain" } };

export const WAYS: readonly Way[] = [OVERLAP, BRIDGED, PLAIN];
