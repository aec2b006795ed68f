import { isObject } from "../../provider/values";

/** One resource of an exported state. */
export interface StateResource {
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The resources of ours in what `pulumi stack export` printed. */
export function readState(exported: string): readonly StateResource[] {
  const parsed: unknown = JSON.parse(exported);
  const deployment = isObject(parsed) && isObject(parsed.deployment) ? parsed.deployment : {};
  const resources = Array.isArray(deployment.resources) ? (deployment.resources as unknown[]) : [];
  return resources.filter(isObject).flatMap((resource) => {
    const type = String(resource.type);
    if (!type.includes("slipway:")) return [];
    return [{ type, inputs: objectOf(resource.inputs), outputs: objectOf(resource.outputs) }];
  });
}

/** Every form in which a secret must not be found: itself, base64 at any alignment, url-encoded. */
export function formsOf(secret: string): readonly string[] {
  const aligned = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from("x".repeat(shift) + secret).toString("base64");
    // the ends depend on the neighbours; the middle does not
    return encoded.slice(4, -4);
  });
  return [secret, ...aligned, encodeURIComponent(secret)];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
