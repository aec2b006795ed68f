import type Docker from "dockerode";
import { isSlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import { isObject } from "../values";
import { parseDaemonConfig } from "./daemon-config";
import type { Desired } from "./desired";
import type { EngineSummaryValues, ForeignEngine, ObservedEngine, RunningDaemon } from "./observed";
import { familyOf } from "./packages/families";
import type { PackageAnswer } from "./packages/package-family";
import type { EngineWish } from "./wish";

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

/** One look at the machine: facts, packages, daemon.json, and the running daemon by its own API. */
export async function observe(
  session: HostSession,
  desired: Desired,
  signal: AbortSignal,
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
    daemon: answer.active ? await observeDaemon(session, signal) : undefined,
    enabled: answer.enabled,
    foreign: foreignEngines(answer, desired),
    users: answer.users,
  };
}

/** The running daemon; undefined when its API cannot be reached. */
export async function observeDaemon(
  session: HostSession,
  signal: AbortSignal,
): Promise<RunningDaemon | undefined> {
  try {
    return await askDaemon(await session.docker(signal));
  } catch (error) {
    if (isSlipwayError(error, "engine-unreachable")) return undefined;
    throw error;
  }
}

async function askDaemon(docker: Docker): Promise<RunningDaemon> {
  const [version, info, containers] = await Promise.all([
    docker.version(),
    docker.info() as Promise<unknown>,
    docker.listContainers({ filters: { status: ["running"] } }),
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
