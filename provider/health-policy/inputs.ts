import type { Connection } from "../host/connection";
import { readHosts } from "../host/connection-fields";
import type { Fields } from "../values";
import type { Budget } from "./budget";

/** Whom a policy looks at and may restart. */
export type Scope =
  | { readonly kind: "owned" }
  | { readonly kind: "all" }
  | { readonly kind: "label"; readonly label: string };

/** A policy's arguments with their defaults. */
export interface PolicyInputs extends Budget {
  readonly name: string;
  readonly hosts: readonly Connection[];
  /** Undefined: every service of ours. */
  readonly services: readonly string[] | undefined;
  readonly scope: Scope;
  readonly repair: boolean;
  readonly maxUnavailable: number;
  /** An agent on each host goes on between ups. */
  readonly watch: boolean;
  readonly watchIntervalMs: number;
  /** Where the agent's messages go; a secret. Empty: nowhere. */
  readonly notify: string;
  readonly failOnUnhealthy: boolean;
  readonly abandonUnreachable: boolean;
}

const DEFAULTS = {
  maxRestarts: 3,
  windowMs: 600_000,
  backoffMs: 10_000,
  maxUnavailable: 1,
  watchIntervalMs: 15_000,
} as const;
/** Each turn of the agent costs its host something. */
const [SHORTEST_WATCH_MS, LONGEST_WATCH_MS] = [5_000, 3_600_000] as const;
const OUTPUTS = ["report", "counts", "restarted", "gaveUp", "agentVersion", "events"];
const SCOPES = ["owned", "all"] as const;

/** Reads a policy's arguments; mistakes are in the fields' failures. `targets` and outputs of ours may stand among them. */
export function readPolicy(fields: Fields): PolicyInputs {
  const name = fields.requiredString("name") ?? "";
  const hosts = readHosts(fields, { required: true });
  // one that other resources have; here nobody would make its key secret
  if (fields.has("host")) fields.fail("host", "is not a known argument; did you mean hosts?");
  const services = fields.strings("services");
  services?.forEach((service, index) => {
    if (service === "") fields.fail(`services[${index}]`, "is empty");
    else if (/\s/.test(service)) fields.fail(`services[${index}]`, "is no name of a service");
  });
  const policy: PolicyInputs = {
    name,
    hosts,
    services,
    scope: readScope(fields),
    repair: fields.boolean("repair") ?? true,
    maxRestarts: fields.integer("maxRestarts", { min: 1, max: 100 }) ?? DEFAULTS.maxRestarts,
    windowMs: fields.duration("window") ?? DEFAULTS.windowMs,
    backoffMs: fields.duration("backoff") ?? DEFAULTS.backoffMs,
    maxUnavailable: fields.integer("maxUnavailable", { min: 1 }) ?? DEFAULTS.maxUnavailable,
    watch: fields.boolean("watch") ?? false,
    watchIntervalMs: readInterval(fields),
    notify: readNotify(fields),
    failOnUnhealthy: fields.boolean("failOnUnhealthy") ?? true,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  if (windowIsTooShort(policy)) {
    fields.fail("window", "is too short: maxRestarts with backoff between them do not find room in it");
  }
  // only there to be compared: the services run something else now, so look again
  fields.raw("versions");
  fields.rejectOthers(["targets", "hostKeys", ...OUTPUTS]);
  return policy;
}

/** The first restart must still count at the last one, or a container would be restarted for ever. */
function windowIsTooShort({ maxRestarts, windowMs, backoffMs }: Budget): boolean {
  return windowMs <= (maxRestarts - 1) * backoffMs;
}

function readScope(fields: Fields): Scope {
  const raw = fields.raw("scope");
  if (raw === undefined) return { kind: "owned" };
  if (typeof raw === "string") return { kind: fields.oneOf("scope", SCOPES) ?? "owned" };
  const nested = fields.object("scope");
  const label = nested?.requiredString("label");
  if (label?.includes("\n") === true) nested?.fail("label", "has more than one line");
  nested?.rejectOthers();
  return label === undefined ? { kind: "owned" } : { kind: "label", label };
}

function readInterval(fields: Fields): number {
  const given = fields.duration("watchInterval") ?? DEFAULTS.watchIntervalMs;
  if (given < SHORTEST_WATCH_MS || given > LONGEST_WATCH_MS) {
    fields.fail("watchInterval", "must be from 5s to 1h");
  }
  return given;
}

/** It stands on a line of its own in a file on the host, and goes to curl from there. */
function readNotify(fields: Fields): string {
  const given = fields.string("notify") ?? "";
  if (given !== "" && !/^https?:\/\/[^\s"\\]+$/.test(given)) {
    fields.fail("notify", "must be the address of a webhook: https://…");
  }
  const isWatching = fields.has("watch") && fields.raw("watch") !== false;
  if (given !== "" && !isWatching) fields.fail("notify", "is the agent's: it needs watch: true");
  return given;
}
