import { readConnection } from "../../host/connection-fields";
import type { Connection } from "../../host/connection";
import type { Properties } from "../../handler";
import { Fields, hasUnknown, isObject } from "../../values";
import type { DaemonConfig } from "../daemon/config";
import { type EngineSource, readSource } from "../packages/source";
import { parseWanted, satisfies, upstreamOf } from "../packages/version";

/** What the program wants of one machine, with the defaults filled in. */
export interface EngineWish {
  readonly dockerVersion: string;
  readonly source: EngineSource;
  /** The program's part of daemon.json, `live-restore` included. */
  readonly daemonConfig: DaemonConfig;
  /** False when the program says nothing of it: then a swarm, which cannot have it, goes without. */
  readonly liveRestoreIsExplicit: boolean;
  readonly allowDaemonRestart: boolean;
  readonly allowDowngrade: boolean;
  readonly allowPackageRepair: boolean;
  readonly adopt: boolean;
  readonly hold: boolean;
  readonly dockerUsers: readonly string[];
  readonly uninstallOnDelete: boolean;
  readonly purge: boolean;
  readonly abandonUnreachable: boolean;
}

/** What the last run applied, and the packages that it left. */
export interface Former extends Pick<EngineWish, "daemonConfig" | "dockerUsers" | "hold"> {
  readonly packages?: readonly string[];
  readonly source?: EngineSource;
}

export interface HostArguments {
  readonly connection: Connection | undefined;
  /** Undefined when mistakes were found or a needed value is not known yet. */
  readonly wish: EngineWish | undefined;
}

/** What useradd of every distribution allows; nothing that a command could take for an option. */
const USER = /^[a-z_][a-z0-9_.-]{0,30}\$?$/i;

/** Reads all arguments; every mistake becomes a failure of `fields`. */
export function readHostArguments(fields: Fields): HostArguments {
  const connectionFields = fields.object("connection");
  if (!fields.has("connection")) fields.fail("connection", "is required");
  const connection = connectionFields === undefined ? undefined : readConnection(connectionFields);
  const dockerVersion = readVersion(fields);
  const source = readSource(fields);
  refuseOtherVersion(fields, dockerVersion, source);
  const liveRestore = fields.boolean("liveRestore");
  const config = readConfig(fields, liveRestore);
  const flags = {
    allowDaemonRestart: fields.boolean("allowDaemonRestart") ?? false,
    allowDowngrade: fields.boolean("allowDowngrade") ?? false,
    allowPackageRepair: fields.boolean("allowPackageRepair") ?? false,
    adopt: fields.boolean("adopt") ?? false,
    hold: fields.boolean("hold") ?? true,
    dockerUsers: readUsers(fields),
    uninstallOnDelete: fields.boolean("uninstallOnDelete") ?? false,
    purge: fields.boolean("purge") ?? false,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  if (flags.purge && !flags.uninstallOnDelete && !hasUnknown(fields.raw("uninstallOnDelete"))) {
    fields.fail("purge", "needs uninstallOnDelete: true, for it is done when the resource is deleted");
  }
  // `targets` is what check itself computed the last time
  fields.rejectOthers(["name", "targets"]);
  if (fields.failures.length > 0 || dockerVersion === undefined || source === undefined) {
    return { connection, wish: undefined };
  }
  const daemonConfig = { "live-restore": liveRestore ?? true, ...config };
  const liveRestoreIsExplicit = liveRestore !== undefined || "live-restore" in config;
  return { connection, wish: { dockerVersion, source, daemonConfig, liveRestoreIsExplicit, ...flags } };
}

/** Every argument that a program can give. */
export const HOST_ARGUMENTS: readonly string[] = [
  ...["connection", "dockerVersion", "source", "daemonConfig", "liveRestore", "hold", "dockerUsers"],
  ...["allowDaemonRestart", "allowDowngrade", "allowPackageRepair", "adopt"],
  ...["uninstallOnDelete", "purge", "abandonUnreachable"],
];

/** The wish of values that check has passed before: inputs, or outputs of the state. */
export function wishOf(values: Properties): HostArguments {
  return readHostArguments(
    new Fields(Object.fromEntries(HOST_ARGUMENTS.map((key) => [key, values[key] ?? undefined]))),
  );
}

/** What the recorded outputs of a DockerHost say was wanted, with the packages that the last up left. */
export function formerWish(olds: Properties): (EngineWish & Pick<Former, "packages">) | undefined {
  const { wish } = wishOf(olds);
  const applied: readonly unknown[] | undefined = Array.isArray(olds.__packages)
    ? olds.__packages
    : undefined;
  const seen = isObject(olds.packages) ? Object.keys(olds.packages) : [];
  // an older state has only those that were seen the last time
  const packages = applied?.filter((name) => typeof name === "string") ?? seen;
  return wish === undefined ? undefined : { ...wish, packages };
}

function readVersion(fields: Fields): string | undefined {
  const text = fields.requiredString("dockerVersion")?.trim();
  if (text === undefined || text === "" || parseWanted(text) !== undefined) return text;
  const reason = 'must be a version such as "28.5.2" or a semver range such as "28.x" or "~28.5"';
  return fields.fail("dockerVersion", reason);
}

/** Of files it is known beforehand what comes of them. */
function refuseOtherVersion(
  fields: Fields,
  wanted: string | undefined,
  source: EngineSource | undefined,
): void {
  const engine = source?.kind === "files" ? source.files[0] : undefined;
  if (engine === undefined || wanted === undefined || wanted === "") return;
  if (parseWanted(wanted) === undefined || satisfies(engine.version, wanted)) return;
  const version = upstreamOf(engine.version) ?? engine.version;
  fields.fail("source.files", `${engine.name} is ${version} there, and ${wanted} is wanted`);
}

function readConfig(fields: Fields, liveRestore: boolean | undefined): DaemonConfig {
  const value = fields.raw("daemonConfig");
  if (value === undefined) return {};
  if (!isObject(value)) {
    fields.fail("daemonConfig", "must be an object: the content of daemon.json");
    return {};
  }
  if ("hosts" in value) {
    const reason =
      "cannot be set: the systemd unit passes -H to the daemon, which does not start when both name sockets";
    fields.fail("daemonConfig.hosts", reason);
  }
  const own = value["live-restore"];
  if (liveRestore !== undefined && own !== undefined && !hasUnknown(own) && own !== liveRestore) {
    fields.fail("daemonConfig.live-restore", `must not say another thing than liveRestore (${liveRestore})`);
  }
  return value;
}

function readUsers(fields: Fields): readonly string[] {
  const users = fields.list("dockerUsers", (value, fail) =>
    typeof value === "string" && USER.test(value) ? value : fail("must be the name of a user on the host"),
  );
  return [...new Set(users ?? [])];
}
