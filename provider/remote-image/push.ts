import type Docker from "dockerode";
import { followProgress } from "../container/engine-progress";
import { engineMessage } from "../container/engine-status";
import type { PatientAccess } from "../container/patient-pull";
import { loginFor, pullImage, registryOf, repositoryAndTag } from "../container/pull";
import type { RegistryLogin } from "../container/registry-login";
import { type RegistryTrouble, registryTrouble, throughTrouble } from "../container/registry-trouble";
import { SlipwayError, isSlipwayError } from "../errors";
import { type Redact, stripControl } from "../secret";
import { isObject } from "../values";

/** What a registry is spoken with, from a host. */
export interface RegistryAccess extends PatientAccess {
  readonly redact: Redact;
}

/**
 * Pushes an image under one of its names, with the login of its registry, which goes along with this one call.
 * @returns its digest there: `registry.example/team/web@sha256:…`
 * @throws SlipwayError image-push-failed, with what the registry says; the image stays on the host
 */
export async function pushImage(
  access: RegistryAccess,
  reference: string,
  registries: readonly RegistryLogin[],
): Promise<string> {
  const { docker, log, signal } = access;
  log.progress(`pushing ${reference} from ${access.session.target}`);
  const login = loginFor(reference, registries);
  const authconfig = login && {
    username: login.username,
    password: login.password,
    serveraddress: login.address,
  };
  const { fromImage, tag } = repositoryAndTag(reference);
  const once = async (): Promise<string> => {
    // without a login it is sent an empty one: the engine asks for the header
    const auth = authconfig ?? { username: "", password: "" };
    const stream = await docker.getImage(fromImage).push({ tag, authconfig: auth, abortSignal: signal });
    return digestIn(docker, stream, (status) => log.progress(`pushing ${reference}: ${status}`));
  };
  const digest = await despite(access, reference, "push", registries, once, (why, next, cause) =>
    pushFailed(access, reference, why, next, cause),
  );
  return `${fromImage}@${digest}`;
}

/** Pulls what another host pushed, and gives it this name. @throws SlipwayError image-missing, with what the registry says */
export async function pullPushed(
  access: RegistryAccess,
  repoDigest: string,
  reference: string,
  registries: readonly RegistryLogin[],
): Promise<void> {
  const { docker, session } = access;
  await despite(
    access,
    repoDigest,
    "pull",
    registries,
    () => pullImage(access, repoDigest, registries),
    (why, next, cause) =>
      new SlipwayError({
        code: "image-missing",
        what: `pulling ${repoDigest}`,
        host: session.target,
        why,
        left: "Nothing else was touched",
        next,
        cause,
      }),
  );
  const { fromImage, tag } = repositoryAndTag(reference);
  await docker.getImage(repoDigest).tag({ repo: fromImage, tag });
}

async function despite<T>(
  { session, docker, log, redact, clock, random, signal }: RegistryAccess,
  reference: string,
  use: "push" | "pull",
  registries: readonly RegistryLogin[],
  once: () => Promise<T>,
  failure: (why: string, next: string | undefined, cause: unknown) => SlipwayError,
): Promise<T> {
  const wall = (): number => clock.wall();
  const look = (error: unknown): Promise<RegistryTrouble> => {
    if (isSlipwayError(error)) throw error; // of the line, not of the registry
    return registryTrouble({ session, docker, signal, wall }, reference, use, registries);
  };
  const say = (line: string): void => log.progress(line);
  return throughTrouble({ clock, random, signal, say }, once, look, (error, { why, next }) => {
    const words = session.redact(redact(stripControl(engineMessage(error)))).slice(0, 500);
    return failure(why ?? words, next, error);
  });
}

/** What came of a push: its digest stands in the last of its events. */
async function digestIn(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  show: (status: string) => void,
): Promise<string> {
  let digest: string | undefined;
  await followProgress(docker, stream, ({ aux, progressDetail, status }) => {
    if (isObject(aux) && typeof aux.Digest === "string") digest = aux.Digest;
    const isBar = isObject(progressDetail) && Object.keys(progressDetail).length > 0;
    if (typeof status === "string" && !isBar) show(stripControl(status));
  });
  if (digest === undefined) throw new Error("the engine told no digest");
  return digest;
}

function pushFailed(
  { session }: RegistryAccess,
  reference: string,
  why: string,
  next: string | undefined,
  cause: unknown,
): SlipwayError {
  return new SlipwayError({
    code: "image-push-failed",
    what: `pushing ${reference} to ${registryOf(reference)}`,
    host: session.target,
    why,
    left: "The image stays on the host, so that the next run pushes it without building",
    next,
    cause,
  });
}
