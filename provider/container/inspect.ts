import type Docker from "dockerode";
import { SlipwayError } from "../errors";
import { fromDockerHealthcheck } from "../health/docker-healthcheck";
import { isObject } from "../values";
import { engineStatus } from "./engine-status";
import type { ContainerState, HealthStatus, ObservedContainer, ObservedPort } from "./observed";

const STATES: readonly ContainerState[] = [
  "created",
  "running",
  "paused",
  "restarting",
  "removing",
  "exited",
  "dead",
];
const HEALTH: readonly HealthStatus[] = ["starting", "healthy", "unhealthy"];

/**
 * One container by id or name; undefined when the engine says that there is none (404).
 * @throws whatever else the engine or the connection answers
 */
export async function observeContainer(
  docker: Docker,
  idOrName: string,
): Promise<ObservedContainer | undefined> {
  try {
    return parseInspect(await docker.getContainer(idOrName).inspect());
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/**
 * All containers, in whatever state, that carry every one of these labels (`key` or `key=value`), sorted by name.
 * One that vanishes between the list and its inspect is left out. No labels: every container of the engine.
 */
export async function observeContainers(
  docker: Docker,
  labels: readonly string[],
): Promise<readonly ObservedContainer[]> {
  const filters = labels.length === 0 ? {} : { filters: { label: [...labels] } };
  const listed = await docker.listContainers({ all: true, ...filters });
  const observed = await Promise.all(listed.map(({ Id }) => observeContainer(docker, Id)));
  const present = observed.filter((container) => container !== undefined);
  return present.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What `GET /containers/{id}/json` answers (API 1.41 and newer), parsed.
 * @throws SlipwayError `internal` when the answer is no container
 */
export function parseInspect(inspect: unknown): ObservedContainer {
  const root = objectOf(inspect);
  const id = textOf(root.Id);
  if (id === "") {
    throw new SlipwayError({
      code: "internal",
      what: "reading a container",
      why: "the engine's answer to inspect has no id",
    });
  }
  const config = objectOf(root.Config);
  const state = objectOf(root.State);
  const hostConfig = objectOf(root.HostConfig);
  const settings = objectOf(root.NetworkSettings);
  const networks = objectOf(settings.Networks);
  const healthcheck = fromDockerHealthcheck(config.Healthcheck);
  return {
    id,
    name: textOf(root.Name).replace(/^\//, ""),
    imageId: textOf(root.Image),
    image: textOf(config.Image),
    labels: textsOf(config.Labels),
    state: STATES.find((each) => each === state.Status) ?? "dead",
    health: HEALTH.find((each) => each === objectOf(state.Health).Status) ?? "none",
    exitCode: numberOf(state.ExitCode),
    oomKilled: state.OOMKilled === true,
    restartCount: numberOf(root.RestartCount),
    startedAt: textOf(state.StartedAt),
    createdAt: textOf(root.Created),
    address: addressIn(networks),
    networkMode: textOf(hostConfig.NetworkMode),
    networks: Object.keys(networks).sort(),
    restartPolicy: textOf(objectOf(hostConfig.RestartPolicy).Name) || "no",
    ports: portsIn(settings.Ports),
    hasDockerHealthcheck: healthcheck !== undefined,
    dockerHealthcheck: healthcheck,
    healthOutput: lastOutput(state.Health),
    failingStreak: numberOf(objectOf(state.Health).FailingStreak),
  };
}

function addressIn(networks: Readonly<Record<string, unknown>>): string | undefined {
  const all = Object.values(networks).map(objectOf);
  const first =
    all.map((each) => textOf(each.IPAddress)).find((address) => address !== "") ??
    all.map((each) => textOf(each.GlobalIPv6Address)).find((address) => address !== "");
  return first === "invalid IP" ? undefined : first;
}

/** Ports as the engine has them bound now: a stopped container has none. */
function portsIn(ports: unknown): readonly ObservedPort[] {
  return Object.entries(objectOf(ports)).flatMap(([key, bindings]) => {
    const [container = "", protocol = "tcp"] = key.split("/");
    return listOf(bindings).map((binding) => {
      const { HostIp, HostPort } = objectOf(binding);
      return {
        container: Number(container),
        protocol,
        hostIp: textOf(HostIp),
        host: Number(textOf(HostPort)),
      };
    });
  });
}

function lastOutput(health: unknown): string {
  return textOf(objectOf(listOf(objectOf(health).Log).at(-1)).Output);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
