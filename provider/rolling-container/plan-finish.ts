import { keptImage } from "../container/names";
import {
  containersOf,
  type Found,
  type HostFound,
  revisionIn,
  type ServiceFound,
  slotOf,
  type SlotFound,
} from "./found";
import type { Operation, Step } from "./operation";
import { removeSecrets } from "./plan-secrets";
import type { Desired } from "./desired";
import { dropKept, dropTag, retireKept } from "./kept";
import { endRoutes, tidyRoutes } from "./plan-proxied";
import { gateBack } from "./plan-exchange";
import { endSwitches, settleSwitches } from "./recover-switch";
import { refOf } from "./ref-of";

/** What tidying up rests on. */
export type Tidiness = Pick<Desired, "replicas" | "keepPrevious" | "update" | "route">;

/**
 * What a rollout leaves to be tidied on a host, once it is done everywhere: kept ones beyond the limit or still up, slots too
 * many, the former name. `proved`: slots whose live one passed a gate in this run; any other has to, before a kept one goes.
 */
export function planFinish(
  found: HostFound,
  limits: Tidiness,
  proved: ReadonlySet<number> = new Set(),
): readonly Step[] {
  const inUse = found.service.slots.filter(({ slot }) => slot <= limits.replicas);
  const tooMany = found.service.slots.filter(({ slot }) => slot > limits.replicas);
  const stay = inUse.flatMap(({ kept }) => kept.slice(0, limits.keepPrevious));
  return [
    ...settleSwitches(found, proved),
    ...tidyRoutes(found, limits),
    ...tooMany.flatMap((slot) => removeSlot(slot, "fewer replicas")),
    // one that an engine's restart took along after its gate has proved nothing any more
    ...inUse.flatMap((slot) =>
      tidyKept(slot, limits, proved.has(slot.slot) && slot.live?.state === "running"),
    ),
    ...fixTags(found, stay),
    ...removeSecrets(found, found.service, placesOf(inUse, limits.keepPrevious), "its container is gone"),
    ...proveBefore(found, limits, proved),
    ...removeFormer(found, "the service has a new name"),
  ];
}

/** Whoever is to serve in place of the former name, and passed no gate in this run, has to, before that one goes. */
function proveBefore(
  { service, former }: HostFound,
  { replicas, update }: Tidiness,
  proved: ReadonlySet<number>,
): readonly Step[] {
  return (former?.slots ?? []).flatMap((before): readonly Step[] => {
    const { slot, live } = slotOf(service, before.slot);
    const isNeeded = slot <= replicas && containersOf(before).some(({ foreign }) => foreign === undefined);
    if (!isNeeded || live === undefined || (proved.has(slot) && live.state === "running")) return [];
    const prove = gateBack(live, update.healthyDeadlineMs);
    return [{ operation: prove, cause: "it has to serve before the former one goes" }];
  });
}

/** What is left when the steps were carried out, for the containers and tags of the service: those that were removed are gone. */
export function withoutRemoved(found: HostFound, steps: readonly Step[]): HostFound {
  const gone = new Set(
    steps.flatMap(({ operation }) => (operation.kind === "remove" ? [operation.container.id] : [])),
  );
  const left = (container: Found | undefined): Found | undefined =>
    container === undefined || gone.has(container.id) ? undefined : container;
  const slots = found.service.slots.map((slot) => ({
    ...slot,
    live: left(slot.live),
    candidate: left(slot.candidate),
    copy: left(slot.copy),
    kept: slot.kept.filter(({ id }) => !gone.has(id)),
    ...(slot.strays === undefined ? {} : { strays: slot.strays.filter(({ id }) => !gone.has(id)) }),
  }));
  const untagged = steps.flatMap(({ operation }) => (operation.kind === "untag" ? [operation.tag] : []));
  const keptTags = found.keptTags.filter((tag) => !untagged.includes(tag));
  return { ...found, keptTags, service: { ...found.service, slots } };
}

/** Containers that stay, with their slots. */
function placesOf(slots: readonly SlotFound[], keepPrevious: number) {
  return slots.flatMap(({ slot, live, kept, strays = [] }) =>
    [live, ...kept.slice(0, keepPrevious), ...strays]
      .filter((each) => each !== undefined)
      .map((container) => ({ slot, container })),
  );
}

function tidyKept(
  { live, kept }: SlotFound,
  { keepPrevious, update }: Tidiness,
  isProved: boolean,
): readonly Step[] {
  const beyond = kept.slice(keepPrevious);
  const retired = kept.slice(0, keepPrevious).flatMap((each) => retireKept(each, "the new one serves"));
  const steps = [...retired, ...beyond.map((each) => dropKept(each, keepPrevious))];
  const mustServe = steps.some(({ operation }) => operation.kind !== "restart-policy");
  if (!mustServe || isProved || live === undefined || live.foreign !== undefined) return steps;
  const prove = gateBack(live, update.healthyDeadlineMs);
  return [{ operation: prove, cause: "it has to serve before a kept one goes" }, ...steps];
}

/** Everything of ours under a service's name, and the one that it had before, on one host; volumes stay. */
export function planRemoval(found: HostFound, cause: string): readonly Step[] {
  return [
    ...endSwitches(found, cause),
    ...endRoutes(found, cause),
    ...removeService(found.service, found, cause),
    ...removeFormer(found, cause),
  ];
}

function removeFormer(found: HostFound, cause: string): readonly Step[] {
  return found.former === undefined ? [] : removeService(found.former, found, cause);
}

function removeService(service: ServiceFound, found: HostFound, cause: string): readonly Step[] {
  const tags = found.keptTags.filter((tag) => isTagOf(tag, service.service));
  return [
    ...service.slots.flatMap((slot) => removeSlot(slot, cause)),
    ...tags.map((tag): Step => ({ operation: { kind: "untag", tag }, cause })),
    ...removeSecrets(found, service, [], cause),
  ];
}

function removeSlot(slot: SlotFound, cause: string): readonly Step[] {
  return containersOf(slot)
    .filter(({ foreign }) => foreign === undefined)
    .flatMap((container) => {
      const stop: Operation = { kind: "stop", container: refOf(container), interrupts: false };
      const first = container.state === "running" ? [{ operation: stop, cause }] : [];
      return [...first, remove(container, cause)];
    });
}

function remove(container: Found, cause: string): Step {
  return { operation: { kind: "remove", container: refOf(container) }, cause };
}

/** Tags of revisions that are not kept any more go; a kept one without its tag gets it again. */
function fixTags(found: HostFound, stay: readonly Found[]): readonly Step[] {
  const { service } = found.service;
  const wanted = new Map(stay.map((kept) => [keptImage(service, revisionIn(kept)), kept.imageId]));
  const present = found.keptTags.filter((tag) => isTagOf(tag, service));
  const missing = [...wanted].filter(([tag]) => !present.includes(tag));
  return [
    ...missing.map(([tag, imageId]): Step => {
      return { operation: { kind: "tag", imageId, tag }, cause: "spares the kept one's image" };
    }),
    ...present.filter((tag) => !wanted.has(tag)).map(dropTag),
  ];
}

/** Names may hold hyphens: `web`'s tags must not be taken for those of `web-2`. */
function isTagOf(tag: string, service: string): boolean {
  const prefix = keptImage(service, "");
  return tag.startsWith(prefix) && /^[0-9a-f]{8}$/.test(tag.slice(prefix.length));
}
