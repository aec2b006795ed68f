import type Docker from "dockerode";

/** What a new container is made of. */
export type CreateRequest = Omit<Docker.ContainerCreateOptions, "abortSignal"> & { readonly name: string };

/**
 * Creates a container. Only its name goes into the address of the call: dockerode by itself would put everything there as well,
 * env included, where whatever logs addresses shows it.
 */
export function createContainer(
  docker: Docker,
  { name, ...body }: CreateRequest,
  abortSignal?: AbortSignal,
): Promise<Docker.Container> {
  const call = { _query: { name }, _body: body, ...(abortSignal && { abortSignal }) };
  return docker.createContainer(call);
}
