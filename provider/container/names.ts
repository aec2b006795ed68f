/** Names on the host: live `web`, further slots `web-2`, candidate `web.next`, copy `web.try`, kept `web.<revision>`. */

/** The live container of a slot; slots count from 1. */
export function liveName(service: string, slot: number): string {
  return slot === 1 ? service : `${service}-${slot}`;
}

/** The container that is to take a slot, until its gate is passed and the slot is its own. */
export function candidateName(service: string, slot: number): string {
  return `${liveName(service, slot)}.next`;
}

/** The copy that proves a version beside the live one, without its ports. */
export function copyName(service: string, slot: number): string {
  return `${liveName(service, slot)}.try`;
}

/** A kept container of an earlier revision. */
export function keptName(service: string, slot: number, revision: string): string {
  return `${liveName(service, slot)}.${revision}`;
}

/** What fills the volume of a slot's secretFiles; never started. */
export function fillName(service: string, slot: number): string {
  return `${liveName(service, slot)}.fill`;
}

/** The one-off container in which a task runs: one name, so that none runs twice at once. */
export function taskName(service: string): string {
  return `${service}.task`;
}

/** The volume with the secretFiles of one revision in one slot; the container's name in it is that of a kept one. */
export function secretVolume(service: string, slot: number, revision: string): string {
  return `${SECRET_VOLUMES}${keptName(service, slot, revision)}`;
}

/** What the names of these volumes begin with. */
export const SECRET_VOLUMES = "slipway.secrets.";

/** The mutex of a service: a container that is created and never started. */
export function lockName(service: string): string {
  return `slipway.lock.${service}`;
}

/** The tag that spares a kept revision's image. */
export function keptImage(service: string, revision: string): string {
  return `slipway/kept:${service}-${revision}`;
}
