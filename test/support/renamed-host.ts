import { LABEL } from "../../provider/container/labels";
import type { Found, HostFound } from "../../provider/rolling-container/found";
import { slotsFrom } from "../../provider/rolling-container/observe";
import { FORMER } from "./former-name";
import { foundContainer, foundHost } from "./rollout";

/** A running container of revision `aaaaaaaa` under the name that the service "web" had, but for what is given. */
export function formerContainer(given: Partial<Found> = {}): Found {
  const found = foundContainer({ name: FORMER, ...given });
  return { ...found, labels: { ...found.labels, [LABEL.service]: FORMER } };
}

/** A host on which these stand under the former name, and those under the new one. */
export function renamedHost(
  former: readonly Found[],
  now: readonly Found[] = [],
  given: Partial<HostFound> = {},
): HostFound {
  return foundHost(now, { former: { service: FORMER, slots: slotsFrom(former, FORMER) }, ...given });
}
