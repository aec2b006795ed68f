import { shortId } from "../../provider/proxy/route-file";
import type { DockerModel } from "./docker-model";
import { RouteModel, routeEntry } from "./route-model";

/** A route with any of those that stand there behind it, as a run that died may have left it. */
export function routeOn(
  { containers }: DockerModel,
  {
    behind,
    differs,
    fileGone,
    routePort: port,
    routeHost,
  }: {
    readonly behind: readonly number[] | undefined;
    readonly differs: readonly (readonly [number, string])[];
    readonly fileGone: boolean;
    readonly routePort: number;
    readonly routeHost: string;
  },
): RouteModel {
  if (behind === undefined) return new RouteModel(undefined);
  const isAble = (id: string): boolean => {
    const container = containers.find((each) => each.id === id);
    // no run lets one in that did not prove itself
    return container !== undefined && !container.foreign && (container.proved || container.good);
  };
  const idAt = (index: number): string => containers[index % Math.max(1, containers.length)]?.id ?? "";
  const listed = [...new Set(behind.map(idAt))].filter(isAble);
  const route = new RouteModel(routeEntry(listed, { port, hosts: [routeHost] }));
  for (const [index, state] of differs) {
    const id = idAt(index);
    if (!isAble(id)) continue;
    if (state === "gone") route.runs?.delete(shortId(id));
    else route.runs?.set(shortId(id), state === "ready" ? "ready" : "drain");
  }
  if (fileGone) route.entry = undefined;
  return route;
}
