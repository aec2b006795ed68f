import type { Properties } from "../handler";

/**
 * What the adapter keeps beside a resource's own properties. Handlers see `__salt` and keys of their own (`__hashVersion`),
 * never these:
 * - `__provider` the dynamic provider's text; without it in the outputs a resource can never be read or deleted again
 * - `__urn` so that messages find the resource's row in the display
 * - `__args` the names of the arguments that the program gave, so that diff sees one that was taken out
 * - `__failed` the outputs are those of a partial failure: the next up has to try again
 */
const ADAPTERS_OWN: readonly string[] = ["__provider", "__urn", "__args", "__failed"];

/** The keys that must be in every outputs, whatever a handler returns. */
const CARRIED: readonly string[] = ["__provider", "__urn", "__salt", "__args"];

/** True for the keys of ours and of handlers that no user wrote and no display shows. */
export function isReserved(key: string): boolean {
  return key.startsWith("__");
}

/** Properties as handlers get them. */
export function withoutReserved(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !ADAPTERS_OWN.includes(key)));
}

/** Outputs as they go into the state: without undefined values, which Pulumi's wire cannot carry, and with ours. */
export function withReserved(outputs: Properties, source: Properties): Record<string, unknown> {
  const carried: Record<string, unknown> = {};
  for (const key of CARRIED) carried[key] = source[key];
  return wireSafe({ ...outputs, ...carried });
}

/** A copy without undefined fields, at any depth. */
export function wireSafe(properties: Properties): Record<string, unknown> {
  return strip(properties) as Record<string, unknown>;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => strip(item ?? null));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, strip(item)]));
}
