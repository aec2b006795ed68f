import { createOptions } from "../container/create-options";
import { secretVolume } from "../container/names";
import { LABEL } from "../container/labels";
import type { ContainerCreateOptions } from "dockerode";
import { formatHealthcheck, parseHealthcheck } from "../health/label";
import type { Found } from "./found";
import type { Wanted } from "./inputs";
import type { Check } from "./container-ref";

/** What one host should run: the arguments, with the image that the reference means there. */
export interface Desired extends Wanted {
  readonly imageId: string;
  readonly revision: string;
  /** True when the image has a HEALTHCHECK of its own. */
  readonly imageHasHealthcheck: boolean;
  /** `project/stack`, for the labels. */
  readonly stack: string;
  /** The resource's name, for the labels. */
  readonly resource: string;
}

/** The one who asks a container of this spec. Commands become the container's own HEALTHCHECK. */
export function checkOf(desired: Pick<Desired, "spec" | "imageHasHealthcheck">): Check {
  const { healthcheck } = desired.spec;
  if (healthcheck !== undefined) return healthcheck.test.kind === "command" ? "docker" : healthcheck;
  return desired.imageHasHealthcheck ? "docker" : "none";
}

/** The same of a container that is there already, whatever spec it came from. */
export function checkIn(container: Found): Check {
  const label = container.labels[LABEL.healthcheck];
  const check = label === undefined ? undefined : parseHealthcheck(label);
  return check ?? (container.hasDockerHealthcheck ? "docker" : "none");
}

/** What a candidate, or the copy that proves it, is created from. */
export function containerOptions(desired: Desired, slot: number, publish: boolean): ContainerCreateOptions {
  return createOptions(desired.spec, {
    image: desired.imageId,
    limits: desired.limits,
    publish,
    secretVolume: secretVolumeOf(desired, slot),
    labels: labelsOf(desired, slot),
  });
}

/** The volume with its secretFiles; undefined when it has none. */
export function secretVolumeOf(
  { spec, service, revision }: Pick<Desired, "spec" | "service" | "revision">,
  slot: number,
): string | undefined {
  return spec.secretFiles === undefined ? undefined : secretVolume(service, slot, revision);
}

/** True when the container is of this very spec and image. */
export function isUpToDate(container: Found, desired: Desired): boolean {
  return (
    container.foreign === undefined &&
    container.labels[LABEL.specHash] === desired.specHash &&
    container.imageId === desired.imageId
  );
}

function labelsOf(desired: Desired, slot: number): Record<string, string> {
  const check = checkOf(desired);
  return {
    [LABEL.service]: desired.service,
    [LABEL.stack]: desired.stack,
    [LABEL.resource]: desired.resource,
    [LABEL.revision]: desired.revision,
    [LABEL.specHash]: desired.specHash,
    [LABEL.slot]: String(slot),
    // a command stands in the container's own HEALTHCHECK, where the engine keeps it
    ...(typeof check === "string" ? {} : { [LABEL.healthcheck]: formatHealthcheck(check) }),
  };
}
