import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { pullPatiently, pullTrouble } from "../container/patient-pull";
import { SlipwayError } from "../errors";
import type { HandlerContext } from "../handler";
import type { ProxyInputs } from "./inputs";
import { observeImage, type ProxyAccess } from "./observe";

const PULL_MS = 900_000;

/**
 * The id of the proxy's image, pulled where the host has none. Whoever changes the proxy asks for it before its lock: the
 * routes of all services wait for that one.
 * @throws SlipwayError image-missing, engine-unreachable; nothing was touched then
 */
export async function ensureImage(
  access: ProxyAccess,
  { name, image, registries }: ProxyInputs,
  { log, random }: Pick<HandlerContext, "log" | "random">,
): Promise<string> {
  const { session } = access;
  const look = (): Promise<string | undefined> =>
    inTime(access, `looking for ${image}`, LOOK_MS, () => observeImage(access.docker, image), UNTOUCHED);
  const present = await look();
  if (present !== undefined) return present;
  const parts = {
    code: "image-missing",
    what: `setting up the proxy "${name}"`,
    host: session.target,
  } as const;
  const rest = { left: "Nothing was touched", next: "Give an `image` that the host has or can pull" };
  try {
    await inTime(access, `pulling ${image}`, PULL_MS, (signal) =>
      pullPatiently({ ...access, random, log, signal }, image, registries),
    );
  } catch (cause) {
    const { message, next = rest.next } = pullTrouble(session, cause);
    throw new SlipwayError({
      ...parts,
      ...rest,
      next,
      why: `${image} could not be pulled: ${message}`,
      cause,
    });
  }
  const pulled = await look();
  if (pulled !== undefined) return pulled;
  throw new SlipwayError({ ...parts, ...rest, why: `${image} is not there after it was pulled` });
}
