import type { DockerModel, ModelContainer } from "./docker-model";

/** What stands on a host, in one line. */
export function standing(docker: DockerModel): string {
  const one = (each: ModelContainer): string =>
    [
      each.name,
      each.imageId.slice(7),
      each.state,
      each.restart,
      each.good ? "good" : "bad",
      each.foreign ? "foreign" : "",
      each.proved ? "proved" : "",
    ]
      .filter((word) => word !== "")
      .join(" ");
  return docker.containers.map(one).join("; ") || "nothing";
}
