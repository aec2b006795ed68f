import { isSlipwayError } from "../errors";
import type { Properties } from "../handler";
import { proxyOn, readRoute, type Route } from "../proxy/route";
import { observeRoute } from "../proxy/switch-route";
import type { ProxyHost } from "../proxy/change";
import { Fields, isObject } from "../values";
import type { FoundRoute } from "./found";
import { serviceOf, type Wanted } from "./inputs";
import type { RoutePlace } from "./route-operation";

/** A route that matters on one host. */
export interface RouteLook extends Pick<FoundRoute, "place" | "drainTimeoutMs"> {
  /** Its proxy has to be there. */
  readonly isWanted: boolean;
}

/** The routes that a service has, or had, on a host: of each name that it goes by, on each proxy that it names. */
export function routeLooks(
  target: string,
  wanted: Pick<Wanted, "service" | "route"> | undefined,
  olds: Properties = {},
): readonly RouteLook[] {
  const services = new Set(
    [wanted?.service, serviceOf(olds)].filter((each) => each !== undefined && each !== ""),
  );
  const looks = new Map<string, RouteLook>();
  for (const [route, isWanted] of [
    [wanted?.route, true],
    [recordedRoute(olds), false],
  ] as const) {
    const proxy = route === undefined ? undefined : proxyOn(route, target);
    if (route === undefined || proxy === undefined) continue;
    for (const service of services) {
      const place: RoutePlace = { proxy: proxy.name, network: proxy.network, service: service ?? "" };
      const key = `${place.proxy}/${place.service}`;
      if (!looks.has(key)) looks.set(key, { place, drainTimeoutMs: route.drainTimeoutMs, isWanted });
    }
  }
  return [...looks.values()];
}

/**
 * Looks at routes; one whose proxy is gone is none.
 * @throws SlipwayError proxy-missing for a wanted one
 */
export async function observeRoutes(
  host: ProxyHost,
  looks: readonly RouteLook[],
): Promise<readonly FoundRoute[]> {
  const found = await Promise.all(
    looks.map(async ({ place, drainTimeoutMs, isWanted }): Promise<FoundRoute | undefined> => {
      try {
        return {
          place,
          drainTimeoutMs,
          route: await observeRoute(host, { name: place.proxy }, place.service),
        };
      } catch (error) {
        if (!isWanted && isSlipwayError(error, "proxy-missing")) return undefined;
        throw error;
      }
    }),
  );
  return found.filter((each) => each !== undefined);
}

/** The route of outputs; undefined when there is none, or it does not read as one. */
export function recordedRoute({ route }: Properties): Route | undefined {
  return isObject(route) ? readRoute(new Fields(route)) : undefined;
}
