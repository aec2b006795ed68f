import { formatDuration } from "../duration";
import type { RouteEntry } from "../proxy/route-file";
import type { ContainerRef } from "./container-ref";

/** The route of a service on one proxy. */
export interface RoutePlace {
  /** The proxy's name. */
  readonly proxy: string;
  /** The network that it shares with containers. */
  readonly network: string;
  readonly service: string;
}

/** A route but for who is behind it. */
export type RouteShape = Omit<RouteEntry, "servers">;

/** What a rollout does with the route of its service; each is one change on the host, or one wait. */
export type RouteOperation =
  /**
   * The route with these behind it, all at once: one reload, which takes nothing from anybody. `replaces`: the route of a
   * former name of the service, which goes in the same change. `back`: it is to be what it was; those who stand still by now
   * are started after it.
   */
  | {
      readonly kind: "write-route";
      readonly place: RoutePlace;
      readonly shape: RouteShape;
      readonly servers: readonly ContainerRef[];
      readonly replaces?: string;
      readonly back?: true;
    }
  /** It gets requests, beside those that do; done when the proxy has seen that it answers. */
  | { readonly kind: "ready-server"; readonly place: RoutePlace; readonly container: ContainerRef }
  /** It gets no new requests. */
  | { readonly kind: "drain-server"; readonly place: RoutePlace; readonly container: ContainerRef }
  /** Until its requests and connections have ended, or the limit is over. */
  | {
      readonly kind: "await-drained";
      readonly place: RoutePlace;
      readonly container: ContainerRef;
      readonly timeoutMs: number;
    }
  /** Ends what it still has. */
  | { readonly kind: "remove-server"; readonly place: RoutePlace; readonly container: ContainerRef }
  | { readonly kind: "remove-route"; readonly place: RoutePlace };

const KINDS: ReadonlySet<string> = new Set<RouteOperation["kind"]>([
  "write-route",
  "ready-server",
  "drain-server",
  "await-drained",
  "remove-server",
  "remove-route",
]);

export function isRouteOperation(operation: { readonly kind: string }): operation is RouteOperation {
  return KINDS.has(operation.kind);
}

/** `route web.next ready`, `drain web`. */
export function formatRouteOperation(operation: RouteOperation): string {
  switch (operation.kind) {
    case "write-route": {
      const names = operation.servers.map(({ name }) => name).join(", ");
      return `write route ${operation.place.service} to ${names === "" ? "nobody" : names}`;
    }
    case "ready-server":
      return `route ${operation.container.name} ready`;
    case "drain-server":
      return `drain ${operation.container.name}`;
    case "await-drained":
      return `wait for ${operation.container.name} to drain, at most ${formatDuration(operation.timeoutMs)}`;
    case "remove-server":
      return `remove server ${operation.container.name}`;
    case "remove-route":
      return `remove route ${operation.place.service} of ${operation.place.proxy}`;
  }
}
