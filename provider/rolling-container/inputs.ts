import { type Limits } from "../container/limits";
import { LIMITS_KEYS, readLimits } from "../container/limits-fields";
import { type ContainerSpec, publishedPorts, usesHostNetwork } from "../container/spec";
import { readSpec, SPEC_KEYS } from "../container/spec-fields";
import { specHash } from "../container/spec-hash";
import { SlipwayError } from "../errors";
import type { Failure, Properties } from "../handler";
import { readRegistry, type RegistryLogin } from "../container/registry-login";
import type { Connection } from "../host/connection";
import { readHosts } from "../host/connection-fields";
import type { Route } from "../proxy/route";
import { Fields, isObject, UNKNOWN } from "../values";
import { checkRoute, readServiceRoute, withProxyNetwork } from "./route-inputs";
import { readTask, type Task } from "./task";
import { wishedWay } from "./switch-way";
import { readUpdate, UPDATE_DEFAULTS, type UpdateSettings } from "./update-settings";

/** The arguments, parsed: what a rollout has to bring about. */
export interface Wanted {
  readonly service: string;
  readonly replicas: number;
  readonly hosts: readonly Connection[];
  /** The reference as the program gave it. */
  readonly image: string;
  readonly spec: ContainerSpec;
  readonly specHash: string;
  readonly limits: Limits;
  readonly update: UpdateSettings;
  /** How it is reached through its proxies; undefined: not through any. */
  readonly route?: Route;
  readonly keepPrevious: number;
  readonly preDeploy?: readonly Task[];
  readonly postDeploy?: readonly Task[];
  readonly registries: readonly RegistryLogin[];
  readonly pull: "missing" | "always" | "never";
  readonly adopt: boolean;
  readonly abandonUnreachable: boolean;
}

/** What reading the arguments gave: mistakes, and what is known. */
export interface ReadInputs {
  readonly failures: readonly Failure[];
  readonly hosts: readonly Connection[];
  /** The spec's hash, or UNKNOWN where it rests on a value that preview does not know. */
  readonly specHash: string;
  /** Undefined while something is wrong or not known yet. */
  readonly wanted: Wanted | undefined;
}

const PULL = ["missing", "always", "never"] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{1,62}$/;
const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/;

/** Reads and validates all arguments; mistakes are collected, values that are not known yet are let pass. */
export function readInputs(inputs: Properties): ReadInputs {
  const failures: Failure[] = [];
  const specFields = new Fields(inputs, failures);
  const given = readSpec(specFields);
  const routeFields = new Fields(inputs, []);
  readServiceRoute(routeFields);
  const fields = new Fields(inputs, failures);
  const limits = readLimits(fields);
  const hosts = readHosts(fields, { required: true });
  const service = matching(fields, "name", NAME, "letters, digits, _ and -, two to 63 of them, and no dots");
  const image = matching(fields, "image", IMAGE, "an image reference");
  const update = fields.object("update");
  const route = readServiceRoute(fields);
  const spec = withProxyNetwork(given, route);
  const rest = {
    replicas: fields.integer("replicas", { min: 1, max: 100 }) ?? 1,
    update: update === undefined ? UPDATE_DEFAULTS : readUpdate(update),
    keepPrevious: fields.integer("keepPrevious", { min: 0, max: 100 }) ?? 1,
    preDeploy: fields.objects("preDeploy", readTask) ?? [],
    postDeploy: fields.objects("postDeploy", readTask) ?? [],
    registries: fields.objects("registries", readRegistry) ?? [],
    pull: fields.oneOf("pull", PULL) ?? "missing",
    adopt: fields.boolean("adopt") ?? false,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  fields.raw("triggers");
  fields.rejectOthers([...SPEC_KEYS, ...LIMITS_KEYS, "targets", "specHash"]);
  checkTogether(fields, spec, rest.replicas, route !== undefined);
  if (route !== undefined) checkRoute(fields, route, { spec, hosts, update: rest.update });
  const way = wishedWay({ spec, update: rest.update, route });
  if (rest.update.switch === "bridged" && way.kind === "plain" && route === undefined)
    fields.fail("update.switch", `cannot be "bridged": ${way.why}`);
  // the proxy's network is part of the spec
  const hash = specFields.unknown || routeFields.unknown ? UNKNOWN : specHash(spec, text(inputs.__salt));
  const known = !specFields.unknown && !fields.unknown && failures.length === 0;
  const wanted =
    known && service !== undefined && image !== undefined
      ? {
          service,
          image,
          hosts,
          spec,
          specHash: hash,
          limits,
          ...rest,
          ...(route === undefined ? {} : { route }),
        }
      : undefined;
  return { failures, hosts, specHash: hash, wanted };
}

/**
 * The arguments of a resource that is being made or changed, which check has seen.
 * @throws SlipwayError invalid-input
 */
export function parseWanted(inputs: Properties): Wanted {
  const { wanted, failures } = readInputs(inputs);
  if (wanted !== undefined) return wanted;
  throw new SlipwayError({
    code: "invalid-input",
    what: "reading the arguments",
    why: failures.map(({ property, reason }) => `${property} ${reason}`).join("; ") || "a value is not known",
  });
}

function checkTogether(fields: Fields, spec: ContainerSpec, replicas: number, isRouted: boolean): void {
  const published = publishedPorts(spec);
  if (replicas > 1 && published.length > 0 && !isRouted) {
    fields.fail(
      "replicas",
      "cannot be more than 1 with a port published on the host: only one can have it. A route through an EdgeProxy leads to all of them",
    );
  }
  if (usesHostNetwork(spec) && published.length > 0) {
    fields.fail("ports", 'cannot be published on the network "host": the container has the host\'s ports');
  }
  const places = published.map((port) => `${port.hostIp ?? ""}:${port.host}/${port.protocol}`);
  const twice = places.findIndex((place, index) => places.indexOf(place) !== index);
  if (twice >= 0) fields.fail("ports", `publishes host port ${published[twice]?.host ?? ""} twice`);
}

function matching(fields: Fields, key: string, pattern: RegExp, what: string): string | undefined {
  const value = fields.requiredString(key);
  if (value === undefined || pattern.test(value)) return value;
  return fields.fail(key, `must be ${what}`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The name of the service that outputs or inputs speak of. */
export function serviceOf(properties: Properties): string {
  return isObject(properties) && typeof properties.name === "string" ? properties.name : "";
}
