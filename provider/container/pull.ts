import type Docker from "dockerode";
import type { Log } from "../log";
import { stripControl } from "../secret";
import { followProgress } from "./engine-progress";
import type { RegistryLogin } from "./registry-login";

const HUB = "docker.io";

/** What pulling needs of a host. */
export interface PullAccess {
  readonly docker: Docker;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Pulls an image by its reference, with the login of its registry where one is given.
 * @throws what the engine answers, at once or while it pulls
 */
export async function pullImage(
  { docker, log, signal }: PullAccess,
  reference: string,
  registries: readonly RegistryLogin[],
): Promise<void> {
  log.progress(`pulling ${reference}`);
  const login = loginFor(reference, registries);
  // the login goes in as an argument of its own, which becomes a header: in the options it would stand in the address
  const auth = login && { username: login.username, password: login.password, serveraddress: login.address };
  const options = { ...repositoryAndTag(reference), abortSignal: signal };
  const stream = await docker.createImage(auth ?? {}, options);
  await followProgress(docker, stream, ({ status }) => {
    if (typeof status === "string") log.progress(`pulling ${reference}: ${stripControl(status)}`);
  });
}

/** The login whose address begins the reference; without an address in it, the reference is Docker Hub's. */
export function loginFor(reference: string, registries: readonly RegistryLogin[]): RegistryLogin | undefined {
  const address = registryOf(reference);
  return registries.find((login) => {
    const host = login.address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
    return host === address || (address === HUB && host.endsWith(".docker.io"));
  });
}

/** The address of the registry that a reference leads to; `docker.io` where it names none. */
export function registryOf(reference: string): string {
  const first = reference.split("/")[0] ?? "";
  const named = reference.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return named ? first : HUB;
}

/** Without a tag or digest Docker would pull every tag there is. */
export function repositoryAndTag(reference: string): { readonly fromImage: string; readonly tag: string } {
  const digest = reference.indexOf("@");
  if (digest > 0) return { fromImage: reference.slice(0, digest), tag: reference.slice(digest + 1) };
  const colon = reference.indexOf(":", reference.lastIndexOf("/") + 1);
  if (colon < 0) return { fromImage: reference, tag: "latest" };
  return { fromImage: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
