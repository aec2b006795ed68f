import { isSlipwayError, SlipwayError } from "../errors";
import type { ObservedRoute } from "../proxy/observed";
import { orderCertificates } from "../proxy/order-certificates";
import { shortId } from "../proxy/route-file";
import {
  drainServer,
  observeRoute,
  readyServer,
  removeRoute,
  removeServer,
  type RouteTarget,
  waitDrained,
  writeRoute,
} from "../proxy/switch-route";
import { isObject } from "../values";
import type { ContainerRef } from "./container-ref";
import type { HostAccess } from "./host-access";
import type { RouteOperation, RoutePlace } from "./route-operation";

type IdOf = (container: ContainerRef) => string;

/** The routes of one run of steps: what a change gave is what the next one rests on. */
export class RouteCalls {
  private readonly seen = new Map<string, ObservedRoute>();
  private readonly silent = new Set<string>();

  /** Carries one out; what is so already counts as done. */
  async call(host: HostAccess, operation: RouteOperation, idOf: IdOf): Promise<void> {
    const { place } = operation;
    const proxy = { name: place.proxy };
    if (operation.kind === "remove-route") {
      await removeRoute(host, proxy, place.service);
      this.seen.delete(keyOf(place));
      return;
    }
    const before = this.seen.get(keyOf(place)) ?? (await observeRoute(host, proxy, place.service));
    // an outcome that is not known is looked at anew
    this.seen.delete(keyOf(place));
    const after = await this.change(host, operation, before, idOf);
    this.seen.set(keyOf(place), after);
    // one that runs knows a place at least of every route in its files
    if (after.entry !== undefined && after.servers.length === 0) this.warnOfSilence(host, place);
    else if (operation.kind === "write-route") await orderCertificates(host, place.proxy, after.placeholders);
  }

  /** The change counts: the proxy reads it when it starts. */
  private warnOfSilence({ log, session }: HostAccess, { proxy, service }: RoutePlace): void {
    if (this.silent.has(proxy)) return;
    this.silent.add(proxy);
    log.warn(
      `${session.target}: the proxy "${proxy}" does not run, so that nobody gets to "${service}" by it. pulumi up --refresh starts it`,
    );
  }

  private async change(
    host: HostAccess,
    operation: Exclude<RouteOperation, { readonly kind: "remove-route" }>,
    before: ObservedRoute,
    idOf: IdOf,
  ): Promise<ObservedRoute> {
    const { place } = operation;
    const proxy = { name: place.proxy };
    switch (operation.kind) {
      case "write-route":
        return this.write(host, operation, before, idOf);
      case "ready-server":
        return readyServer(
          host,
          proxy,
          before,
          mustRun(await targetOf(host, place, idOf(operation.container))),
        );
      case "drain-server":
        if (before.entry === undefined) return before;
        return drainServer(host, proxy, before, idOf(operation.container));
      case "await-drained": {
        const { container, timeoutMs } = operation;
        const wait = { container: idOf(container), timeoutMs };
        const { route, left } = await waitDrained(host, proxy, before, wait);
        if (left > 0)
          host.log.warn(
            `${host.session.target}: ${left} requests or connections of ${container.name} had not ended in drainTimeout, and are ended now`,
          );
        return route;
      }
      case "remove-server":
        if (before.entry === undefined) return before;
        return removeServer(host, proxy, before, idOf(operation.container));
    }
  }

  private async write(
    host: HostAccess,
    { place, shape, servers, replaces, back }: Extract<RouteOperation, { readonly kind: "write-route" }>,
    before: ObservedRoute,
    idOf: IdOf,
  ): Promise<ObservedRoute> {
    const proxy = { name: place.proxy };
    const listed = servers.map((container, index) => ({
      place: index + 1,
      container: shortId(idOf(container)),
    }));
    const entry = { ...shape, servers: listed };
    if (replaces !== undefined) this.seen.delete(keyOf({ ...place, service: replaces }));
    const written = await writeRoute(host, proxy, before, entry, replaces);
    try {
      for (const server of servers) {
        const target = await targetOf(host, place, idOf(server));
        if (target === "stopped" && back === true) continue;
        // what HAProxy read anew counts as well until it has asked
        return await readyServer(host, proxy, written, mustRun(target));
      }
      return written;
    } catch (error) {
      if (written === before || !isSlipwayError(error, "proxy-busy")) throw error;
      // the route is written: whoever takes this for nothing done would leave it
      throw new SlipwayError({
        ...error.parts,
        code: "proxy-failed",
        left: "The route is written",
        cause: error,
      });
    }
  }
}

function keyOf({ proxy, service }: RoutePlace): string {
  return `${proxy}/${service}`;
}

/** Where the proxy finds a container that runs. */
async function targetOf(
  { docker }: HostAccess,
  { network }: RoutePlace,
  id: string,
): Promise<RouteTarget | "stopped"> {
  const inspect: unknown = await docker.getContainer(id).inspect();
  const settings = isObject(inspect) && isObject(inspect.NetworkSettings) ? inspect.NetworkSettings : {};
  const networks = isObject(settings.Networks) ? settings.Networks : {};
  const own = isObject(networks[network]) ? networks[network] : {};
  const container = isObject(inspect) && typeof inspect.Id === "string" ? inspect.Id : id;
  if (typeof own.IPAddress === "string" && own.IPAddress !== "") return { container, address: own.IPAddress };
  if (isObject(inspect) && isObject(inspect.State) && inspect.State.Running === false) return "stopped";
  throw new Error(`it has no address on the proxy's network "${network}"`);
}

function mustRun(target: RouteTarget | "stopped"): RouteTarget {
  if (target === "stopped") throw new Error("it does not run");
  return target;
}
