import type { Fields } from "../values";
import { parseByteSize } from "./byte-size";
import { readHealthcheck } from "./healthcheck-fields";
import { readMount } from "./mount-fields";
import { readPort } from "./port-fields";
import type { ContainerSpec, LoggingSpec, UlimitSpec } from "./spec";

/** The arguments that `readSpec` reads. */
export const SPEC_KEYS = [
  ...[
    "command",
    "entrypoint",
    "env",
    "user",
    "workingDir",
    "hostname",
    "labels",
    "mounts",
    "tmpfs",
    "networks",
  ],
  ...[
    "extraHosts",
    "dns",
    "capAdd",
    "capDrop",
    "devices",
    "ulimits",
    "sysctls",
    "securityOpt",
    "readOnly",
    "init",
  ],
  ...["privileged", "shmSize", "logging", "stopSignal", "stopTimeout", "ports", "healthcheck", "secretFiles"],
] as const;

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const NETWORK_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const CAPABILITY = /^(CAP_)?[A-Z][A-Z0-9_]*$/;

/** Reads and normalizes the arguments that a container is made from; mistakes go into the fields' failures. */
export function readSpec(fields: Fields): ContainerSpec {
  const check = fields.object("healthcheck");
  return withoutEmpty({
    command: fields.strings("command"),
    entrypoint: fields.strings("entrypoint"),
    env: readEnv(fields),
    user: fields.string("user"),
    workingDir: absolute(fields, "workingDir"),
    hostname: matching(fields, "hostname", /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, "a host name"),
    labels: readLabels(fields),
    mounts: fields.objects("mounts", readMount),
    tmpfs: eachMatching(fields, "tmpfs", /^\/[^:]*(:[\w=,.%-]+)?$/, 'an absolute path, or "path:options"'),
    networks: readNetworks(fields),
    extraHosts: eachMatching(fields, "extraHosts", /^[A-Za-z0-9_.-]+[:=][^\s]+$/, '"name:address"'),
    dns: eachMatching(fields, "dns", /^[0-9A-Fa-f.:]+$/, "an address"),
    capAdd: eachMatching(fields, "capAdd", CAPABILITY, 'a capability such as "NET_ADMIN"'),
    capDrop: eachMatching(fields, "capDrop", CAPABILITY, 'a capability such as "NET_ADMIN"'),
    devices: eachMatching(fields, "devices", /^\/[^:]+(:\/[^:]+(:[rwm]{1,3})?)?$/, '"/dev/a[:/dev/b[:rwm]]"'),
    ulimits: readUlimits(fields),
    sysctls: fields.stringMap("sysctls"),
    securityOpt: fields.strings("securityOpt"),
    readOnly: fields.boolean("readOnly"),
    init: fields.boolean("init"),
    privileged: fields.boolean("privileged"),
    shmSize: readSize(fields, "shmSize"),
    logging: readLogging(fields),
    stopSignal: matching(fields, "stopSignal", /^(SIG)?[A-Z0-9+-]{1,12}$/, 'a signal such as "SIGTERM"'),
    stopTimeoutMs: fields.duration("stopTimeout"),
    ports: fields.objects("ports", readPort),
    healthcheck: check === undefined ? undefined : readHealthcheck(check),
    secretFiles: readSecretFiles(fields),
  });
}

function readEnv(fields: Fields): ContainerSpec["env"] {
  const env = fields.stringMap("env");
  for (const [name, value] of Object.entries(env ?? {})) {
    if (!ENV_NAME.test(name))
      fields.fail("env", `has the name ${quoted(name)}: letters, digits and _ are allowed`);
    if (value.includes("\0")) fields.fail(`env.${name}`, "must not hold a NUL character");
  }
  return env;
}

function readSecretFiles(fields: Fields): ContainerSpec["secretFiles"] {
  const files = fields.stringMap("secretFiles");
  for (const name of Object.keys(files ?? {})) {
    if (!/^[A-Za-z0-9_.-]{1,255}$/.test(name) || /^\.+$/.test(name))
      fields.fail("secretFiles", `has the name ${quoted(name)}: letters, digits, and _ . - are allowed`);
  }
  return files;
}

function readLabels(fields: Fields): ContainerSpec["labels"] {
  const labels = fields.stringMap("labels");
  for (const name of Object.keys(labels ?? {})) {
    if (name === "" || name.startsWith("slipway.")) fields.fail("labels", `cannot set ${quoted(name)}`);
  }
  return labels;
}

function readNetworks(fields: Fields): ContainerSpec["networks"] {
  const networks = eachMatching(fields, "networks", NETWORK_NAME, "a network's name");
  const alone = networks?.find((name) => name === "host" || name === "none");
  if (alone !== undefined && networks !== undefined && networks.length > 1) {
    fields.fail("networks", `${quoted(alone)} cannot be joined by another network`);
  }
  return networks;
}

function readUlimits(fields: Fields): readonly UlimitSpec[] | undefined {
  return fields.objects("ulimits", (ulimit) => {
    const name = ulimit.requiredString("name");
    if (!ulimit.has("soft")) ulimit.fail("soft", "is required");
    const soft = ulimit.integer("soft", { min: -1 });
    const hard = ulimit.integer("hard", { min: -1 }) ?? soft;
    ulimit.rejectOthers();
    return name === undefined || soft === undefined || hard === undefined ? undefined : { name, soft, hard };
  });
}

function readLogging(fields: Fields): LoggingSpec | undefined {
  const logging = fields.object("logging");
  if (logging === undefined) return undefined;
  const driver = logging.requiredString("driver");
  const options = logging.stringMap("options") ?? {};
  logging.rejectOthers();
  return driver === undefined ? undefined : { driver, options };
}

function readSize(fields: Fields, key: string): number | undefined {
  const value = fields.raw(key);
  if (value === undefined) return undefined;
  return parseByteSize(value) ?? fields.fail(key, 'must be a size such as "64m"');
}

function absolute(fields: Fields, key: string): string | undefined {
  return matching(fields, key, /^\//, "an absolute path");
}

function matching(fields: Fields, key: string, pattern: RegExp, what: string): string | undefined {
  const value = fields.string(key);
  if (value === undefined || pattern.test(value)) return value;
  return fields.fail(key, `must be ${what}`);
}

function eachMatching(
  fields: Fields,
  key: string,
  pattern: RegExp,
  what: string,
): readonly string[] | undefined {
  return fields.list(key, (value, fail) =>
    typeof value === "string" && pattern.test(value) ? value : fail(`must be ${what}`),
  );
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** An empty list or object says the same as none; the hash must not tell them apart. `entrypoint: []` clears the image's. */
function withoutEmpty(
  spec: { readonly [K in keyof ContainerSpec]: ContainerSpec[K] | undefined },
): ContainerSpec {
  const entries = Object.entries(spec).filter(([key, value]) => {
    if (value === undefined || value === false) return false;
    if (key === "entrypoint" || key === "command") return true;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
  return Object.fromEntries(entries);
}
