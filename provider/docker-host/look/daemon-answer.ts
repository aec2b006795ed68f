import type Docker from "dockerode";
import { isSlipwayError } from "../../errors";
import type { HandlerContext } from "../../handler";
import { withTimeLimit } from "../../health/time-limit";
import type { HostSession } from "../../host/session";
import { isObject } from "../../values";
import { settingsOf } from "../daemon/settings";
import { ANSWER_S } from "./look-script";
import type { EngineSummaryValues, RunningDaemon } from "./observed";

/** How the daemon behind an active service answered. */
export type DaemonAnswer =
  | { readonly kind: "answered"; readonly daemon: RunningDaemon }
  /** Its API cannot be reached. */
  | { readonly kind: "unreachable" }
  /** It takes calls and does not answer them. */
  | { readonly kind: "silent" };

/** Asks the daemon what it is, for half a minute at most. */
export async function observeDaemon(
  session: HostSession,
  { clock, signal }: Pick<HandlerContext, "clock" | "signal">,
): Promise<DaemonAnswer> {
  const limit = { timeoutMs: ANSWER_S * 1_000, clock, signal };
  const asked = await withTimeLimit(limit, async (abortSignal) => {
    try {
      return await askDaemon(await session.docker(abortSignal), abortSignal);
    } catch (error) {
      if (isSlipwayError(error, "engine-unreachable")) return undefined;
      throw error;
    }
  });
  if (asked.kind === "late") return { kind: "silent" };
  return asked.value === undefined ? { kind: "unreachable" } : { kind: "answered", daemon: asked.value };
}

/** What the look heard: version, info and containers that are not stopped, a JSON text a line. Undefined when it is not that. */
export function parseDaemon(text: string): RunningDaemon | undefined {
  const [version, info, ...lists] = text.split("\n").filter((line) => line.trim() !== "");
  if (version === undefined || info === undefined) return undefined;
  try {
    const containers = lists.flatMap((line) => JSON.parse(line) as unknown);
    const answers: readonly unknown[] = [JSON.parse(version), JSON.parse(info)];
    return answers.every(isObject) ? daemonFrom(answers[0], answers[1], containers) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // the API is asked instead
    throw error;
  }
}

/** What dockerode takes and its types do not say. */
interface Abortable {
  version(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
  info(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

async function askDaemon(docker: Docker, abortSignal: AbortSignal): Promise<RunningDaemon> {
  const abortable = docker as unknown as Abortable;
  const [version, info, containers] = await Promise.all([
    abortable.version({ abortSignal }),
    abortable.info({ abortSignal }),
    docker.listContainers({ filters: { status: ["running", "paused", "restarting"] }, abortSignal }),
  ]);
  return daemonFrom(version, info, containers);
}

function daemonFrom(version: unknown, info: unknown, containers: readonly unknown[]): RunningDaemon {
  const values = isObject(info) ? info : {};
  const words = isObject(version) ? version : {};
  const isHalted = (each: unknown): boolean =>
    isObject(each) && (each.State === "paused" || each.State === "restarting");
  const going = containers.filter((each) => !isHalted(each));
  const swarm = isObject(values.Swarm) ? values.Swarm.LocalNodeState : undefined;
  return {
    version: text(words.Version),
    apiVersion: text(words.ApiVersion),
    running: idsOf(going),
    halted: idsOf(containers.filter(isHalted)),
    healthy: idsOf(going.filter((each) => isObject(each) && text(each.Status).endsWith("(healthy)"))),
    containers: count(values.Containers),
    images: count(values.Images),
    imageStore: imageStoreOf(values.DriverStatus),
    swarm: swarm !== undefined && swarm !== "" && swarm !== "inactive",
    logDrivers: isObject(values.Plugins) ? texts(values.Plugins.Log) : [],
    summary: summaryOf(values),
    settings: settingsOf(values),
  };
}

function idsOf(containers: readonly unknown[]): readonly string[] {
  return containers.map((container) => (isObject(container) ? text(container.Id) : "")).sort();
}

/** The containerd store says so among the rows of its driver. */
function imageStoreOf(status: unknown): RunningDaemon["imageStore"] {
  const rows = Array.isArray(status) ? (status as readonly unknown[]) : [];
  const isContainerd = rows.some((row) => Array.isArray(row) && row[0] === "driver-type");
  return isContainerd ? "containerd" : "graph driver";
}

function summaryOf(info: Readonly<Record<string, unknown>>): EngineSummaryValues {
  const registry = isObject(info.RegistryConfig) ? info.RegistryConfig : {};
  const firewall = isObject(info.FirewallBackend) ? info.FirewallBackend : {};
  return {
    storageDriver: text(info.Driver),
    cgroupVersion: text(info.CgroupVersion),
    rootDirectory: text(info.DockerRootDir),
    liveRestore: info.LiveRestoreEnabled === true,
    firewall: text(firewall.Driver),
    runtimes: Object.keys(isObject(info.Runtimes) ? info.Runtimes : {}).sort(),
    registryMirrors: texts(registry.Mirrors),
    // bridge-nf warnings come and go with a kernel module that the first network loads
    warnings: texts(info.Warnings).filter((warning) => !warning.includes("bridge-nf-call")),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
