import type Docker from "dockerode";
import { archiveOf } from "./archive";
import type { Clock } from "../clock";
import { createContainer } from "../container/create";
import { allowing, engineMessage, engineStatus } from "../container/engine-status";
import { engineLimitsUpdate, enginePolicy } from "../container/limits";
import type { GateOperation, Operation } from "./operation";
import type { RouteOperation } from "./route-operation";
import type { HostOperation } from "./switch-call";

const [UNTAG_TRIES, UNTAG_PAUSE_MS] = [5, 100];
const NOT_IN_IT = /is not connected to (the )?network/;

/** Operations that are one call of the Engine API; a gate is a wait, see gate.ts. */
export type CallOperation = Exclude<
  Operation,
  GateOperation | HostOperation | RouteOperation | { readonly kind: "await-exit" }
>;

/**
 * Makes the call. `idOf` gives the id of a container, or its name where it is not known. What is so already counts as done.
 * Gives the id of a container that was created.
 */
export async function callEngine(
  docker: Docker,
  operation: CallOperation,
  idOf: (name: string, id: string | undefined) => string,
  clock: Clock,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const containerOf = (ref: { readonly name: string; readonly id?: string }): Docker.Container =>
    docker.getContainer(idOf(ref.name, ref.id));
  switch (operation.kind) {
    case "create-network": {
      const { name, labels } = operation;
      await allowing(
        [409],
        docker.createNetwork({ Name: name, Labels: labels, CheckDuplicate: true, abortSignal }),
      );
      return undefined;
    }
    case "remove-network":
      if (await isInNetwork(docker, operation.name, abortSignal)) return undefined;
      // 403: somebody uses it
      await allowing([404, 403, 409], docker.getNetwork(operation.name).remove({ abortSignal }));
      return undefined;
    case "create-volume":
      await docker.createVolume({ Name: operation.name, Labels: operation.labels, abortSignal });
      return undefined;
    case "remove-volume":
      // 409: a container still has it
      await allowing([404, 409], docker.getVolume(operation.name).remove({ abortSignal }));
      return undefined;
    case "write-files": {
      const archive = await archiveOf(operation.files);
      await containerOf(operation.container).putArchive(archive, { path: operation.path, abortSignal });
      return undefined;
    }
    case "create": {
      const name = operation.container.name;
      return (await createContainer(docker, { ...operation.options, name }, abortSignal)).id;
    }
    case "connect": {
      const id = idOf(operation.container.name, operation.container.id);
      await connect(docker, id, operation, abortSignal);
      return undefined;
    }
    case "disconnect": {
      const id = idOf(operation.container.name, operation.container.id);
      const leaving = docker.getNetwork(operation.network).disconnect({ Container: id, abortSignal });
      // the engine says so with a 500
      await leaving.catch((error: unknown) => {
        if (!NOT_IN_IT.test(engineMessage(error))) throw error;
      });
      return undefined;
    }
    case "start":
      await allowing([304], containerOf(operation.container).start({ abortSignal }));
      return undefined;
    case "unpause":
      await containerOf(operation.container).unpause({ abortSignal });
      return undefined;
    case "stop":
      await allowing([304, 404], containerOf(operation.container).stop({ abortSignal }));
      return undefined;
    case "rename":
      await containerOf(operation.container).rename({ name: operation.to, abortSignal });
      return undefined;
    case "restart-policy":
      await containerOf(operation.container).update({
        RestartPolicy: enginePolicy(operation.restart),
        abortSignal,
      });
      return undefined;
    case "limits":
      await containerOf(operation.container).update({ ...engineLimitsUpdate(operation.limits), abortSignal });
      return undefined;
    case "remove":
      await allowing(
        [404, 409],
        containerOf(operation.container).remove({ force: true, v: operation.volumes ?? false, abortSignal }),
      );
      return undefined;
    case "tag": {
      const colon = operation.tag.lastIndexOf(":");
      const repo = operation.tag.slice(0, colon);
      // 404: the image was removed by force under its container; the container still starts
      await allowing(
        [404],
        docker.getImage(operation.imageId).tag({ repo, tag: operation.tag.slice(colon + 1), abortSignal }),
      );
      return undefined;
    }
    case "untag":
      await untag(docker, operation.tag, clock, abortSignal);
      return undefined;
  }
}

/** The engine refuses for running containers only; a stopped one could never start again without its network. */
async function isInNetwork(docker: Docker, name: string, abortSignal: AbortSignal): Promise<boolean> {
  const inside = await docker.listContainers({ all: true, filters: { network: [name] }, abortSignal });
  return inside.length > 0;
}

/** One that is in the network counts as joined only under the names that it is to have there; an endpoint may be left of a dead one. */
async function connect(
  docker: Docker,
  id: string,
  { network, aliases }: Extract<Operation, { readonly kind: "connect" }>,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    const endpoint = { Container: id, EndpointConfig: { Aliases: [...aliases] }, abortSignal };
    await docker.getNetwork(network).connect(endpoint);
  } catch (error) {
    if (engineStatus(error) !== 403) throw error;
    const seen = await docker.getContainer(id).inspect({ abortSignal });
    const joined = seen.NetworkSettings.Networks[network];
    const names: unknown = joined?.Aliases;
    const has = (alias: string): boolean => Array.isArray(names) && names.includes(alias);
    if (joined === undefined || !aliases.every(has)) throw error;
  }
}

/** While a container needs the image by this name (409) it stays; one that is just being removed needs it no more in a moment. */
async function untag(docker: Docker, tag: string, clock: Clock, abortSignal: AbortSignal): Promise<void> {
  for (let left = UNTAG_TRIES; left > 0; left--) {
    try {
      await docker.getImage(tag).remove({ noprune: false, abortSignal });
      return;
    } catch (error) {
      if (engineStatus(error) === 404) return;
      if (engineStatus(error) !== 409) throw error;
      if (left > 1) await clock.sleep(UNTAG_PAUSE_MS, abortSignal);
    }
  }
}
