import type { Found, HostFound, ServiceFound } from "../../provider/rolling-container/found";
import { parseContainerName } from "../../provider/rolling-container/slot-name";
import type { ObservedSwitch } from "../../provider/switch/observed-switch";
import { slotsFrom } from "../../provider/rolling-container/observe";
import type { DockerModel, ModelContainer } from "./docker-model";
import { foundContainer, foundHost, LIMITS } from "./rollout";
import { observedIn } from "./switch-model";

/** What observe.ts would read. */
export function lookAt(docker: DockerModel): HostFound {
  return foundHost([], {
    service: standingAs(docker, "web"),
    former: docker.former === undefined ? undefined : standingAs(docker, docker.former),
    keptTags: [...docker.tags],
    ...(docker.routes.size === 0 ? {} : { routes: [...docker.routes.values()].map((each) => each.observed) }),
    ...(docker.can === undefined ? {} : { switches: switchesIn(docker, docker.can) }),
  });
}

function standingAs({ containers }: DockerModel, service: string): ServiceFound {
  const own = containers.filter(({ name }) => parseContainerName(name, service) !== undefined);
  return { service, slots: slotsFrom(own.map(foundIn), service) };
}

function switchesIn({ exchanges, former }: DockerModel, can: Partial<ObservedSwitch>) {
  const names = former === undefined ? ["web"] : ["web", former];
  return Object.fromEntries(names.map((name) => [name, observedIn(exchanges.get(name), can)]));
}

function foundIn(container: ModelContainer): Found {
  const { id, name, state, restart, imageId, labels, foreign, startedAt, networks } = container;
  return foundContainer({
    id,
    name,
    state,
    imageId,
    labels,
    restartPolicy: restart,
    networks,
    limits: { ...LIMITS, restart },
    startedAt: new Date(startedAt * 1_000).toISOString(),
    foreign: foreign ? "somebody" : undefined,
  });
}
