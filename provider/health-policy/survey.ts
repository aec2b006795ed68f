import type Docker from "dockerode";
import { observeContainer } from "../container/inspect";
import { LABEL } from "../container/labels";
import type { ContainerState, HealthStatus, ObservedContainer } from "../container/observed";
import { isObject } from "../values";

/** A container as a survey found it. */
export interface Surveyed {
  readonly container: ObservedContainer;
  /**
   * It was inspected. Else only what the engine's list says is known: name, image, labels, state, health and address, and it is
   * one that runs and is well, or that nothing of ours depends on.
   */
  readonly isWhole: boolean;
}

/** Repairs need to know no more of those that are well; a report shows how often each was restarted. */
export type Details = "for-a-report" | "for-repairs";

/** Twenty inspects go at once, and a report waits for two turns of them: beyond that only those are made that are needed. */
const MOST_AT_LEISURE = 40;

/**
 * All containers of these labels, sorted by name, in three turns as a rule however many there are: the lists tell who is well,
 * who is not and who has no check of Docker's; then the details of those that are not, and of others as far as it costs little.
 */
export async function surveyContainers(
  docker: Docker,
  labels: readonly string[],
  details: Details,
): Promise<readonly Surveyed[]> {
  const list = async (health: readonly HealthStatus[]): Promise<readonly Docker.ContainerInfo[]> => {
    const filters = {
      ...(labels.length === 0 ? {} : { label: [...labels] }),
      ...(health.length === 0 ? {} : { health: [...health] }),
    };
    return docker.listContainers({ all: true, ...(Object.keys(filters).length === 0 ? {} : { filters }) });
  };
  const [all, ailing, without] = await Promise.all([
    list([]),
    list(["unhealthy", "starting"]),
    list(["none"]),
  ]);
  const isAiling = new Set(ailing.map(({ Id }) => Id));
  const isWithout = new Set(without.map(({ Id }) => Id));
  const glances = all.map((info) => glanceAt(info, isWithout.has(info.Id) ? "none" : "healthy"));
  const needed = glances.filter((each) => isAiling.has(each.id) || needsDetails(each));
  const others = glances.filter((each) => !needed.includes(each));
  const most = details === "for-a-report" ? MOST_AT_LEISURE : 0;
  const leisure = others.slice(0, Math.max(0, most - needed.length));
  const inspected = await Promise.all(
    [...needed, ...leisure].map(async ({ id }) => [id, await observeContainer(docker, id)] as const),
  );
  const known = new Map(inspected);
  return glances
    .flatMap((glance): readonly Surveyed[] => {
      if (!known.has(glance.id)) return [{ container: glance, isWhole: false }];
      const container = known.get(glance.id);
      return container === undefined ? [] : [{ container, isWhole: true }];
    })
    .sort((a, b) => (a.container.name < b.container.name ? -1 : 1));
}

/** Whether it should run, and why it does not, is in no list. */
function needsDetails({ state, labels }: ObservedContainer): boolean {
  if (state === "restarting") return true;
  return (state === "exited" || state === "dead") && labels[LABEL.service] !== undefined;
}

function glanceAt(info: Docker.ContainerInfo, health: HealthStatus): ObservedContainer {
  // one that others are linked to has their names for it, too: /other/alias
  const name = info.Names.find((each) => each.lastIndexOf("/") === 0) ?? info.Names[0] ?? info.Id;
  const networks: unknown = info.NetworkSettings.Networks;
  const addresses = isObject(networks) ? Object.values(networks).map(addressOf) : [];
  return {
    id: info.Id,
    name: name.replace(/^\//, ""),
    imageId: info.ImageID,
    image: info.Image,
    labels: info.Labels,
    state: info.State as ContainerState,
    health,
    exitCode: 0,
    oomKilled: false,
    restartCount: 0,
    startedAt: "",
    createdAt: new Date(info.Created * 1_000).toISOString(),
    address: addresses.find((each) => each !== ""),
    networkMode: info.HostConfig.NetworkMode,
    networks: isObject(networks) ? Object.keys(networks).sort() : [],
    restartPolicy: "no",
    ports: [],
    hasDockerHealthcheck: health !== "none",
    dockerHealthcheck: undefined,
    healthOutput: "",
    failingStreak: 0,
  };
}

function addressOf(network: unknown): string {
  if (!isObject(network)) return "";
  const { IPAddress, GlobalIPv6Address } = network;
  const text = [IPAddress, GlobalIPv6Address].find((each) => typeof each === "string" && each !== "");
  return typeof text === "string" && text !== "invalid IP" ? text : "";
}
