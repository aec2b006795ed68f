import type { Properties } from "../handler";
import { CONNECTION_SECRETS } from "../resource";

/** Arguments that hold one secret text, wherever they stand. `password` of a registry's login is one of them. */
const SECRET_TEXTS: readonly string[] = [...CONNECTION_SECRETS, "token", "notify", "__salt"];
/** Arguments whose every value is secret. */
const SECRET_MAPS: readonly string[] = ["secrets", "secretFiles"];

/**
 * The secrets that a resource's properties are known to hold, for a last redaction of what leaves the process. Pulumi
 * hands secrets over in clear and does not say which they were: what the program alone marked (env) is not among them.
 */
export function secretsIn(properties: Properties): readonly string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    if (typeof value === "string") return SECRET_TEXTS.includes(key) ? [value] : [];
    return SECRET_MAPS.includes(key) ? textsIn(value) : nested(value);
  });
}

function nested(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(nested);
  return typeof value === "object" && value !== null ? secretsIn(value as Properties) : [];
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
