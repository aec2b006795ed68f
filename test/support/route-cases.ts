import { shortId } from "../../provider/proxy/route-file";
import { FORMER } from "./former-name";
import type { DockerModel } from "./docker-model";
import { RouteModel, routeEntry } from "./route-model";

/** What is there of a route; numbers pick from all that stand there. */
export interface RouteSeen {
  readonly behind: readonly number[] | undefined;
  readonly differs: readonly (readonly [number, string])[];
  readonly fileGone: boolean;
  readonly routePort: number;
  readonly routeHost: string;
}

/** The service's route, under the one name of it; `isFormer`: the one that it had. */
export function routesOn(docker: DockerModel, seen: RouteSeen, isFormer: boolean): Map<string, RouteModel> {
  const names = docker.former === undefined ? ["web"] : ["web", docker.former];
  const none = { ...seen, behind: undefined };
  const owner = isFormer ? docker.former : "web";
  return new Map(names.map((name) => [name, routeOn(docker, name === owner ? seen : none, name)]));
}

/** A route with any of those that stand there behind it, as a run that died may have left it. */
function routeOn(
  { containers }: DockerModel,
  { behind, differs, fileGone, routePort: port, routeHost }: RouteSeen,
  service = "web",
): RouteModel {
  if (behind === undefined) return new RouteModel(undefined, service);
  const isAble = (id: string): boolean => {
    const container = containers.find((each) => each.id === id);
    // no run lets one in that did not prove itself
    return container !== undefined && !container.foreign && (container.proved || container.good);
  };
  // nobody of a new name comes behind the route of the former one, which is put right before its route is passed on
  const able = containers.filter(({ name }) =>
    service === FORMER ? name.startsWith(FORMER) : !new RegExp(`^${FORMER}.*[.]`).test(name),
  );
  const idAt = (index: number): string => able[index % Math.max(1, able.length)]?.id ?? "";
  const listed = [...new Set(behind.map(idAt))].filter(isAble);
  const route = new RouteModel(routeEntry(listed, { service, port, hosts: [routeHost] }), service);
  for (const [index, state] of differs) {
    const id = idAt(index);
    // its file lets go of one of the former name only when its successor is in
    const isLeaving = id.startsWith(`old-${FORMER}`) && !listed.includes(id);
    if (!isAble(id) || isLeaving) continue;
    if (state === "gone") route.runs?.delete(shortId(id));
    else route.runs?.set(shortId(id), state === "ready" ? "ready" : "drain");
  }
  if (fileGone) route.entry = undefined;
  return route;
}
