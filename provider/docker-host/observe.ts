import type Docker from "dockerode";
import { formatDuration } from "../duration";
import { isSlipwayError, SlipwayError } from "../errors";
import type { HandlerContext } from "../handler";
import { withTimeLimit } from "../health/time-limit";
import type { HostSession } from "../host/session";
import { isObject } from "../values";
import { parseDaemonConfig } from "./daemon-config";
import type { Desired } from "./desired";
import type { EngineSummaryValues, ForeignEngine, ObservedEngine, RunningDaemon } from "./observed";
import { familyOf } from "./packages/families";
import type { PackageAnswer } from "./packages/package-family";
import type { EngineWish } from "./wish";

/** A daemon answers these questions from its memory; one that takes longer is stuck. */
const ANSWER_MS = 30_000;

/** Packages that bring an engine, or what looks like one. */
const ENGINES: readonly string[] = ["docker.io", "docker-ce", "podman-docker"];

/**
 * What is wanted of this machine in the words of its package manager.
 * @throws SlipwayError host-unsupported
 */
export async function desiredOn(
  session: HostSession,
  wish: EngineWish,
  former: Desired["former"],
  signal: AbortSignal,
): Promise<Desired> {
  const facts = await session.facts({ signal });
  const family = familyOf(session.target, facts, wish.source);
  const repository = family.repository(wish.source, facts);
  return {
    wish,
    names: family.names(wish.source),
    dependencies: family.dependencies(wish.source),
    repository,
    former,
  };
}

/** How the daemon behind an active service answered. */
export type DaemonAnswer =
  | { readonly kind: "answered"; readonly daemon: RunningDaemon }
  /** Its API cannot be reached. */
  | { readonly kind: "unreachable" }
  /** It takes calls and does not answer them. */
  | { readonly kind: "silent" };

/**
 * One look at the machine: facts, packages, daemon.json, and the running daemon by its own API.
 * @throws SlipwayError engine-unreachable when the daemon takes calls and does not answer them: whether containers run
 * under it cannot be known then
 */
export async function observe(
  session: HostSession,
  desired: Desired,
  { clock, signal }: Pick<HandlerContext, "clock" | "signal">,
): Promise<ObservedEngine> {
  const facts = await session.facts({ fresh: true, signal });
  const users = [...new Set([...desired.wish.dockerUsers, ...(desired.former?.dockerUsers ?? [])])];
  const family = familyOf(session.target, facts, desired.wish.source);
  const answer = await family.observe(session, { repository: desired.repository, users }, signal);
  return {
    target: session.target,
    facts,
    packages: answer.packages,
    daemonConfigText: answer.daemonConfig,
    daemonConfig: parseDaemonConfig(answer.daemonConfig),
    // asking a stopped one would start it: its socket belongs to systemd
    daemon: answer.active ? daemonOf(session, await observeDaemon(session, { clock, signal })) : undefined,
    enabled: answer.enabled,
    foreign: foreignEngines(answer, desired),
    users: answer.users,
  };
}

/** Asks the daemon what it is, for half a minute at most. */
export async function observeDaemon(
  session: HostSession,
  { clock, signal }: Pick<HandlerContext, "clock" | "signal">,
): Promise<DaemonAnswer> {
  const asked = await withTimeLimit({ timeoutMs: ANSWER_MS, clock, signal }, async (abortSignal) => {
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

function daemonOf(session: HostSession, answer: DaemonAnswer): RunningDaemon | undefined {
  if (answer.kind === "answered") return answer.daemon;
  if (answer.kind === "unreachable") return undefined;
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "asking the Docker daemon for its version",
    host: session.target,
    why: "it takes the call and does not answer",
    after: `after ${formatDuration(ANSWER_MS)}`,
    next: "Look at `journalctl -u docker` on the host; `systemctl restart docker` there starts it anew",
  });
}

/** What dockerode takes and its types do not say. */
interface Abortable {
  version(options: { readonly abortSignal: AbortSignal }): Promise<Docker.DockerVersion>;
  info(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

async function askDaemon(docker: Docker, abortSignal: AbortSignal): Promise<RunningDaemon> {
  const abortable = docker as unknown as Abortable;
  const [version, info, containers] = await Promise.all([
    abortable.version({ abortSignal }),
    abortable.info({ abortSignal }),
    docker.listContainers({ filters: { status: ["running"] }, abortSignal }),
  ]);
  const values = isObject(info) ? info : {};
  const swarm = isObject(values.Swarm) ? values.Swarm.LocalNodeState : undefined;
  return {
    version: version.Version,
    apiVersion: version.ApiVersion,
    running: containers.map((container) => container.Id).sort(),
    swarm: swarm !== undefined && swarm !== "" && swarm !== "inactive",
    summary: summaryOf(values),
  };
}

function summaryOf(info: Readonly<Record<string, unknown>>): EngineSummaryValues {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
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

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function foreignEngines(answer: PackageAnswer, desired: Desired): readonly ForeignEngine[] {
  const names = Object.keys(answer.packages.installed);
  const packages = ENGINES.filter((name) => names.includes(name) && !desired.names.includes(name));
  const found: ForeignEngine[] = [];
  if (answer.snap) found.push({ kind: "snap" });
  if (packages.length > 0) found.push({ kind: "packages", names: packages });
  if (answer.unpackaged !== undefined) found.push({ kind: "unpackaged", path: answer.unpackaged });
  return found;
}
