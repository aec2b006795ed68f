import type { Properties } from "../../provider/handler";

/** A way to switch, and what makes a service go it. */
export interface Way {
  readonly name: "bridged" | "overlap" | "plain" | "proxied";
  /** Where clients come in: at the container's own address, at a published port, behind the site's EdgeProxy. */
  readonly entrance: "address" | "port" | "route";
  readonly update: Properties;
}

/** Both run for a moment, nothing is published. */
export const OVERLAP: Way = { name: "overlap", entrance: "address", update: {} };
/** A published port and no proxy: what `auto` chooses there. */
export const BRIDGED: Way = { name: "bridged", entrance: "port", update: {} };
/** Stop first. */
export const PLAIN: Way = { name: "plain", entrance: "port", update: { switch: "plain" } };
/** A route through an EdgeProxy. */
export const PROXIED: Way = { name: "proxied", entrance: "route", update: {} };

/** What a site needs for it. */
export function siteOf({ entrance }: Way): { readonly edge?: true } {
  return entrance === "route" ? { edge: true } : {};
}

export const WAYS: readonly Way[] = [OVERLAP, BRIDGED, PLAIN, PROXIED];
