import { LABEL } from "../container/labels";
import { fillName, SECRET_VOLUMES } from "../container/names";
import { SECRETS_PATH } from "../container/spec";
import { type Desired, secretVolumeOf } from "./desired";
import { type Found, type HostFound, revisionIn, type ServiceFound } from "./found";
import { EMPTY_IMAGE } from "./lock";
import type { ContainerRef } from "./container-ref";
import type { Step } from "./operation";
import { parseContainerName } from "./slot-name";

/**
 * Makes the volume with a slot's secretFiles, and fills it by the Engine API: a container that has the volume writable, is
 * never started, and goes again. The content is in no argument, environment or label. Empty without secretFiles.
 */
export function fillSecrets(slot: number, desired: Desired): readonly Step[] {
  const volume = secretVolumeOf(desired, slot);
  const { service, stack, spec } = desired;
  if (volume === undefined) return [];
  const container: ContainerRef = { name: fillName(service, slot) };
  const labels = { [LABEL.service]: service, [LABEL.stack]: stack };
  const Mounts = [{ Type: "volume" as const, Source: volume, Target: SECRETS_PATH }];
  const options = {
    Image: EMPTY_IMAGE,
    // never started; the engine wants a command all the same
    Cmd: ["none"],
    Labels: labels,
    HostConfig: { NetworkMode: "none", Mounts },
  };
  const cause = "secretFiles";
  return [
    {
      operation: { kind: "create-volume", name: volume, labels },
      cause,
      undo: [{ kind: "remove-volume", name: volume }],
    },
    { operation: { kind: "create", container, options }, cause, undo: [{ kind: "remove", container }] },
    {
      operation: { kind: "write-files", container, path: SECRETS_PATH, files: spec.secretFiles ?? {} },
      cause,
    },
    { operation: { kind: "remove", container }, cause: "they are written" },
  ];
}

/** Volumes of secretFiles whose container is none of `stay`. */
export function removeSecrets(
  found: HostFound,
  { service }: Pick<ServiceFound, "service">,
  stay: readonly { readonly slot: number; readonly container: Found }[],
  cause: string,
): readonly Step[] {
  const wanted = new Set(stay.map(({ slot, container }) => `${slot} ${revisionIn(container)}`));
  return found.volumes.flatMap((name): Step[] => {
    if (!name.startsWith(SECRET_VOLUMES)) return [];
    const container = name.slice(SECRET_VOLUMES.length);
    const place = parseContainerName(container, service);
    if (place?.phase !== "kept" || wanted.has(`${place.slot} ${container.split(".").at(-1) ?? ""}`))
      return [];
    return [{ operation: { kind: "remove-volume", name }, cause }];
  });
}
