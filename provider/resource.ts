import * as pulumi from "@pulumi/pulumi";

/** The resources of this package, as the last part of their Pulumi type. */
export type ResourceKind = "DockerHost" | "RemoteImage" | "RollingContainer" | "HealthPolicy" | "EdgeProxy";

/** What the base class has to know of a resource's arguments and outputs. */
export interface ResourceShape {
  readonly kind: ResourceKind;
  /** Arguments that hold a connection, or a list of them: their credentials are made secret, bastions' included. */
  readonly connections: readonly string[];
  /** Arguments that are secret as a whole, whether the caller said so or not. */
  readonly secrets: readonly string[];
  /** Outputs; those that are always given as arguments too may be left out. */
  readonly outputs: readonly string[];
}

/** The fields of a connection that are secret whether the caller said so or not. */
export const CONNECTION_SECRETS: readonly string[] = [
  "privateKey",
  "privateKeyPassword",
  "password",
  "sudoPassword",
];

/**
 * Names the value that stands for a resource when it is given as an argument. A registered symbol, not `instanceof`:
 * two copies of this package in one program know each other's resources.
 */
export const STANDS_FOR: unique symbol = Symbol.for("pulumi-slipway.stands-for");

/**
 * The salt of a resource whose hashes hold no secret: a fixed one, so that its first preview shows the very names and
 * hashes that the update will make. 32 hex digits, as a random one has.
 */
export const NO_SALT = "0".repeat(32);

/** The Pulumi type of a kind; the engine hands such resources to the dynamic provider of the program's folder. */
export function typeOf(kind: ResourceKind): string {
  return `pulumi-nodejs:dynamic/slipway:${kind}`;
}

/**
 * The dynamic provider of a kind: a constant with no version and no path in it, so that the state never changes with a
 * release and every operation, refresh and destroy included, runs the code that is installed now.
 */
export function providerText(kind: ResourceKind): string {
  return `exports.handler = () => require("pulumi-slipway/runtime").${kind};`;
}

/** What the resources of this package have in common. */
export abstract class SlipwayResource extends pulumi.CustomResource {
  /** The machines it is on, in clear: `user@address:port`. */
  declare readonly targets: pulumi.Output<string[]>;
  /** The SHA256 fingerprint of each machine's host key, by target. */
  declare readonly hostKeys: pulumi.Output<Record<string, string>>;

  constructor(
    shape: ResourceShape,
    name: string,
    args: object,
    opts: pulumi.CustomResourceOptions | undefined,
  ) {
    const type = typeOf(shape.kind);
    const outputs: Record<string, undefined> = {};
    for (const key of ["targets", "hostKeys", ...shape.outputs]) outputs[key] = undefined;
    super(
      type,
      name,
      {
        ...outputs,
        ...plainArguments(shape, args),
        __provider: providerText(shape.kind),
        __urn: ownUrn(name, type, opts?.parent),
        // filled by check, kept from then on; secret here, so that it is secret in the state
        __salt: pulumi.secret(saltWanted(shape, args)),
      },
      opts,
    );
  }
}

/**
 * The resource's URN, without the dependency on its parent that createUrn's Output has: a dependency on a component means
 * one on all its children, this resource among them, and two children of which one needs the other would wait for ever.
 */
function ownUrn(name: string, type: string, parent: pulumi.Resource | undefined): Promise<string> {
  return new Promise((resolve) => {
    pulumi.createUrn(name, type, parent).apply(resolve);
  });
}

/** Arguments as they go to the engine: resources unwrapped to the values they stand for, secrets marked. */
function plainArguments(shape: ResourceShape, args: object): Record<string, unknown> {
  const plain = Object.entries(args).map(([key, given]: [string, unknown]) => {
    const value = unwrap(given);
    if (value === undefined || value === null) return [key, value];
    if (shape.connections.includes(key)) return [key, withSecretCredentials(value)];
    return [key, shape.secrets.includes(key) ? pulumi.secret(value) : value];
  });
  return Object.fromEntries(plain) as Record<string, unknown>;
}

/**
 * NO_SALT, or an empty text for a random one where a value that may enter a hash is secret: what the program marked,
 * besides connections and arguments that are secret as a whole, which are in no hash.
 */
function saltWanted(shape: ResourceShape, args: object): pulumi.Output<string> {
  const apart = [...shape.connections, ...shape.secrets];
  const hashed = Object.entries(args).filter(([key]) => !apart.includes(key));
  const anySecret = pulumi.isSecret(pulumi.output(unwrap(Object.fromEntries(hashed))));
  return pulumi.output(anySecret).apply((secret) => (secret ? "" : NO_SALT));
}

/** Replaces each resource that stands for a value, at any depth; Outputs keep their dependencies and secrets. */
function unwrap(value: unknown): unknown {
  const eventual = eventualOf(value);
  if (eventual !== undefined) return eventual.apply(unwrap);
  if (pulumi.Resource.isInstance(value)) return standsForOther(value) ? unwrap(value[STANDS_FOR]()) : value;
  return mapPlain(value, unwrap);
}

function withSecretCredentials(value: unknown): unknown {
  const eventual = eventualOf(value);
  if (eventual !== undefined) return eventual.apply(withSecretCredentials);
  return mapPlain(value, (item, key) => {
    if (key === undefined || key === "proxy") return withSecretCredentials(item);
    const hide = CONNECTION_SECRETS.includes(key) && item !== undefined && item !== null;
    return hide ? pulumi.secret(item) : item;
  });
}

/** An Output of anything that is known later only; undefined for what is there already. */
function eventualOf(value: unknown): pulumi.Output<unknown> | undefined {
  if (pulumi.Output.isInstance(value)) return value;
  return value instanceof Promise ? pulumi.output(value) : undefined;
}

/** Maps the items of a list or the fields of a plain object; anything else (a scalar, an asset) stays as it is. */
function mapPlain(value: unknown, change: (item: unknown, key: string | undefined) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => change(item, undefined));
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function standsForOther(
  value: pulumi.Resource,
): value is pulumi.Resource & { readonly [STANDS_FOR]: () => unknown } {
  return STANDS_FOR in value;
}
