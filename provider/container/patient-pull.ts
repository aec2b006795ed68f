import type Docker from "dockerode";
import type { Clock } from "../clock";
import { isSlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import { stripControl } from "../secret";
import { engineMessage } from "./engine-status";
import { pullImage } from "./pull";
import type { RegistryLogin } from "./registry-login";
import { registryTrouble, throughTrouble } from "./registry-trouble";

/** The host that pulls, and the run's time and randomness. */
export interface PatientAccess {
  readonly session: HostSession;
  readonly docker: Docker;
  readonly clock: Clock;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Why an image could not be pulled, and what helps where the registry says it. */
export class PullFailure extends Error {
  readonly next: string | undefined;

  constructor(why: string, next: string | undefined, cause: unknown) {
    super(why, { cause });
    this.next = next;
  }
}

/**
 * Pulls an image, and again where its registry says that it is asked too often, or is not well: after the pause that it asks for.
 * @throws PullFailure with what the registry has against it, else with the engine's own words; the signal's reason
 */
export async function pullPatiently(
  access: PatientAccess,
  reference: string,
  registries: readonly RegistryLogin[],
): Promise<void> {
  const { session, docker, clock, random, log, signal } = access;
  const asked = { session, docker, signal, wall: () => clock.wall() };
  await throughTrouble(
    { clock, random, signal, say: (line) => log.progress(line) },
    () => pullImage(access, reference, registries),
    async (error) => {
      if (isSlipwayError(error)) throw error; // of the line, not of the registry
      const trouble = await registryTrouble(asked, reference, "pull", registries);
      // the engine has tried by itself what is not the registry's doing
      return { ...trouble, isPassing: trouble.isPassing && trouble.why !== undefined };
    },
    (error, { why, next }) =>
      new PullFailure(why ?? wordsOf(session, error), why === undefined ? undefined : next, error),
  );
}

/** What to say of a pull that failed: the registry's trouble, else the words of whoever refused it, clean to show. */
export function pullTrouble(session: HostSession, error: unknown): Pick<PullFailure, "message" | "next"> {
  return error instanceof PullFailure ? error : { message: wordsOf(session, error), next: undefined };
}

function wordsOf(session: HostSession, error: unknown): string {
  return session.redact(stripControl(engineMessage(error))).slice(0, 500);
}
