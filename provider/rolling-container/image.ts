import { imageArchitecture } from "../container/architecture";
import { engineStatus } from "../container/engine-status";
import { pullPatiently, pullTrouble } from "../container/patient-pull";
import { pullImage } from "../container/pull";
import { SlipwayError } from "../errors";
import { isObject } from "../values";
import { fromDockerHealthcheck } from "../health/docker-healthcheck";
import type { HostAccess } from "./host-access";
import { inTime, LOOK_MS } from "../container/in-time";
import type { Wanted } from "./inputs";

/** What a reference means on one host. */
export interface HostImage {
  readonly id: string;
  readonly hasHealthcheck: boolean;
}

// what an interrupted run left may have been cleared up before
const NOT_BEGUN = "The rollout was not begun; what runs there goes on";

/**
 * The image that the reference means on the host, pulled where it has to be. `renew`: a newer one is looked for, but the one
 * that is there will do. `look`: where somebody looked already.
 * @throws SlipwayError image-missing, engine-unreachable; nothing else was touched then
 */
export async function ensureImage(
  host: HostAccess,
  wanted: Pick<Wanted, "image" | "pull" | "registries" | "service" | "update">,
  renew: boolean,
  look: Promise<ImageLook> = lookAtImage(host, wanted.image),
): Promise<HostImage> {
  const present = await look;
  const mustPull = wanted.pull === "always" || (present === undefined && wanted.pull === "missing");
  if (mustPull || (renew && wanted.pull === "missing")) {
    try {
      // under the lock, whose time is counted
      const pull = mustPull ? pullPatiently : pullImage; // what is there already is worth no waiting
      await inTime(host, `pulling ${wanted.image}`, wanted.update.progressDeadlineMs, (signal) =>
        pull({ ...host, signal }, wanted.image, wanted.registries),
      );
    } catch (error) {
      if (mustPull) throw notPulled(host, wanted, error);
      host.log.keep(
        `${host.session.target}: ${wanted.image} was not pulled anew (${pullTrouble(host.session, error).message}); the one on the host is used`,
      );
    }
  }
  const raw = mustPull || renew ? await lookAtImage(host, wanted.image) : present;
  if (raw === undefined) throw missing(host, wanted, "it is not on the host");
  await refuseOtherArchitecture(host, wanted, raw);
  const config = isObject(raw.Config) ? raw.Config : {};
  return {
    id: typeof raw.Id === "string" ? raw.Id : "",
    hasHealthcheck: fromDockerHealthcheck(config.Healthcheck) !== undefined,
  };
}

/** An image as the engine shows it; undefined when it is not there. */
export type ImageLook = Readonly<Record<string, unknown>> | undefined;

/**
 * Looks for what a reference means on the host.
 * @throws SlipwayError engine-unreachable
 */
export function lookAtImage(host: HostAccess, reference: string): Promise<ImageLook> {
  const look = async (): Promise<ImageLook> => {
    try {
      const raw: unknown = await host.docker.getImage(reference).inspect();
      return isObject(raw) ? raw : undefined;
    } catch (error) {
      if (engineStatus(error) === 404) return undefined;
      throw error;
    }
  };
  return inTime(host, `looking for ${reference}`, LOOK_MS, look, NOT_BEGUN);
}

function notPulled(
  host: HostAccess,
  wanted: Pick<Wanted, "image" | "service">,
  error: unknown,
): SlipwayError {
  const { message, next } = pullTrouble(host.session, error);
  return missing(host, wanted, `it could not be pulled: ${message}`, { cause: error, next });
}

async function refuseOtherArchitecture(
  host: HostAccess,
  wanted: Pick<Wanted, "image" | "service">,
  raw: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { architecture } = await host.session.facts({ signal: host.signal });
  const ofHost = imageArchitecture(architecture);
  const ofImage = typeof raw.Architecture === "string" ? raw.Architecture : "";
  if (ofHost === undefined || ofImage === "" || ofImage === ofHost) return;
  throw missing(host, wanted, `the image is for ${ofImage}, the host is ${ofHost}`);
}

function missing(
  { session }: HostAccess,
  { image, service }: Pick<Wanted, "image" | "service">,
  why: string,
  {
    cause,
    next = "Build it there with RemoteImage, or name one that a registry has",
  }: { readonly cause?: unknown; readonly next?: string | undefined } = {},
): SlipwayError {
  return new SlipwayError({
    code: "image-missing",
    what: `rolling out "${service}" with the image ${image}`,
    host: session.target,
    why,
    left: "Nothing was touched",
    next,
    cause,
  });
}
