import type { Properties } from "../handler";
import { type Connection, machineOf, targetOf } from "../host/connection";
import type { Wish } from "./ensure-image";
import { type RecordedImage, withoutEmpty } from "./recorded";

/** The same image under the same names on the same machines, and none of them lost it. */
export function nothingToDo(recorded: RecordedImage, { spec, ref, contextHash, dropped }: Wish): boolean {
  const machines = (hosts: readonly Connection[]): string => hosts.map(machineOf).sort().join();
  return (
    ref === recorded.ref &&
    contextHash === recorded.contextHash &&
    dropped.length === 0 &&
    spec.tags.every((tag) => recorded.tags.includes(tag)) &&
    machines(spec.hosts) === machines(recorded.hosts) &&
    recorded.hosts.every((host) => (recorded.imageIds[targetOf(host)] ?? "") !== "")
  );
}

/** The recorded outputs under the new arguments; a machine may have another user, so another target. */
export function untouched(
  olds: Properties,
  news: Properties,
  recorded: RecordedImage,
  hosts: readonly Connection[],
): Properties {
  const oldTarget = (host: Connection): string =>
    targetOf(recorded.hosts.find((old) => machineOf(old) === machineOf(host)) ?? host);
  const moved = (values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(hosts.map((host) => [targetOf(host), values[oldTarget(host)] ?? ""]));
  const { size, createdAt, architecture, layers } = olds;
  const ids = moved(recorded.imageIds);
  return {
    ...news,
    ...{ size, createdAt, architecture, layers },
    builder: news.builder ?? olds.builder,
    imageId: hosts.length > 1 ? ids : Object.values(ids)[0],
    targets: hosts.map(targetOf),
    hostKeys: withoutEmpty(moved(recorded.hostKeys)),
  };
}
