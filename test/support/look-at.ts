import type { Found, HostFound } from "../../provider/rolling-container/found";
import { slotsFrom } from "../../provider/rolling-container/observe";
import type { DockerModel, ModelContainer } from "./docker-model";
import { foundContainer, foundHost, LIMITS } from "./rollout";
import { observedIn } from "./switch-model";

/** What observe.ts would read. */
export function lookAt(docker: DockerModel): HostFound {
  return foundHost([], {
    service: { service: "web", slots: slotsFrom(docker.containers.map(foundIn), "web") },
    keptTags: [...docker.tags],
    ...(docker.route === undefined ? {} : { routes: [docker.route.observed] }),
    ...(docker.can === undefined ? {} : { switches: { web: observedIn(docker.exchange, docker.can) } }),
  });
}

function foundIn(container: ModelContainer): Found {
  const { id, name, state, restart, imageId, labels, foreign, startedAt } = container;
  return foundContainer({
    id,
    name,
    state,
    imageId,
    labels,
    restartPolicy: restart,
    networks: ["bridge", "slipway"],
    limits: { ...LIMITS, restart },
    startedAt: new Date(startedAt * 1_000).toISOString(),
    foreign: foreign ? "somebody" : undefined,
  });
}
