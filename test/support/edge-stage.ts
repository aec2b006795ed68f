import type { Properties } from "../../provider/handler";
import { removeRoute } from "../../provider/proxy/switch-route";
import { isObject } from "../../provider/values";
import { type Backend, EdgeRoute, startBackend } from "./edge-route";
import type { EdgeSite } from "./edge-site";

/** An EdgeProxy with the containers "one" and "two" beside it; "one" has the route of example.com. */
export interface EdgeStage {
  readonly web: EdgeRoute;
  readonly v1: Backend;
  readonly v2: Backend;
}

/** Brings a site to this, wherever the test before has left it. `image`: what "one" and "two" run. */
export async function setEdgeStage(
  site: EdgeSite,
  wish: Properties,
  image: "app" | "page",
): Promise<EdgeStage> {
  const { host } = site;
  await (site.outputs.name === undefined ? site.create(wish) : site.update(wish));
  const v1 = await startBackend(host, "one", `${image}:v1`);
  const v2 = await startBackend(host, "two", `${image}:v2`);
  const web = new EdgeRoute(host, "web");
  for (const service of servicesOf(site.outputs)) {
    // one that is written anew keeps who is behind it
    await web.on((access) => removeRoute(access, web.proxy, service));
  }
  await web.write(web.entry(v1, { hosts: ["example.com"] }));
  return { web, v1, v2 };
}

function servicesOf({ routes }: Properties): readonly string[] {
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route: unknown) => (isObject(route) ? [String(route.service)] : []));
}
