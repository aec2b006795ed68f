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
  readonly failOnUnhealthy: boolean;
  readonly abandonUnreachable: boolean;
}

const DEFAULTS = { maxRestarts: 3, windowMs: 600_000, backoffMs: 10_000, maxUnavailable: 1 } as const;
const SCOPES = ["owned", "all"] as const;

/** Reads a policy's arguments; mistakes are in the fields' failures. `targets` and outputs of ours may stand among them. */
export function readPolicy(fields: Fields): PolicyInputs {
  const name = fields.requiredString("name") ?? "";
  const hosts = readHosts(fields, { required: true });
  const services = fields.strings("services");
  services?.forEach((service, index) => {
    if (service === "") fields.fail(`services[${index}]`, "is empty");
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
    failOnUnhealthy: fields.boolean("failOnUnhealthy") ?? true,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  refuseAgent(fields);
  // only there to be compared: the services run something else now, so look again
  fields.raw("versions");
  fields.rejectOthers(["targets", "hostKeys", "report", "counts", "restarted", "gaveUp"]);
  return policy;
}

function readScope(fields: Fields): Scope {
  const raw = fields.raw("scope");
  if (raw === undefined) return { kind: "owned" };
  if (typeof raw === "string") return { kind: fields.oneOf("scope", SCOPES) ?? "owned" };
  const nested = fields.object("scope");
  const label = nested?.requiredString("label");
  nested?.rejectOthers();
  return label === undefined ? { kind: "owned" } : { kind: "label", label };
}

function refuseAgent(fields: Fields): void {
  const until = "is not available yet: the policy acts during pulumi up";
  if (fields.boolean("watch") === true) fields.fail("watch", until);
  if (fields.raw("watchInterval") !== undefined) fields.fail("watchInterval", until);
  if (fields.raw("notify") !== undefined) fields.fail("notify", until);
}
