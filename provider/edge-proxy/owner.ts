import { LABEL } from "../container/labels";
import type { ObservedContainer } from "../container/observed";
import type { Desired } from "./desired";
import type { ProxyFound } from "./observe";

/** By what a container is known to be this proxy's. */
export type Owner = Pick<Desired, "name" | "stack" | "recordedId">;

/** True for a container of this proxy: this stack made it, or its state names it, as after the stack got another name. */
export function isOwn(container: Pick<ObservedContainer, "id" | "labels">, owner: Owner): boolean {
  if (container.labels[LABEL.proxy] !== owner.name) return false;
  return container.labels[LABEL.stack] === owner.stack || container.id === owner.recordedId;
}

/** A container of another stack's proxy of this name: folder, network and exchange are that one's, too. */
export function anotherStacks(
  { live, candidate, copy }: Pick<ProxyFound, "live" | "candidate" | "copy">,
  owner: Owner,
): ObservedContainer | undefined {
  return [live, candidate, copy].find(
    (each) => each?.labels[LABEL.proxy] === owner.name && !isOwn(each, owner),
  );
}

/** The stack that made a container, as it says; empty text where it does not. */
export function stackOf({ labels }: Pick<ObservedContainer, "labels">): string {
  return labels[LABEL.stack] ?? "";
}
