import type { Found } from "./found";
import type { ContainerRef } from "./container-ref";

/** A container that was there when the host was looked at. */
export function refOf(container: Found): ContainerRef {
  const { name, id, stopTimeoutMs } = container;
  return { name, id, ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }) };
}
