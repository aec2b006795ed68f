import type { Clock } from "../clock";
import { formatDuration } from "../duration";
import { type AskAccess, askRegistry, type RegistryAnswer, type RegistryUse } from "./ask-registry";
import { loginFor, registryOf } from "./pull";
import type { RegistryLogin } from "./registry-login";

/** What a registry has against a pull or a push, and whether it may be otherwise in a moment. */
export interface RegistryTrouble {
  /** True: it is worth another try. */
  readonly isPassing: boolean;
  /** How long the registry asks to be left alone; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;
  /** Undefined where the registry has nothing against it: then it is as the engine says. */
  readonly why: string | undefined;
  readonly next: string | undefined;
}

/** A registry is asked so often in all. */
export const REGISTRY_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;
/** Whoever asks for more than this is not waited for. */
const LONGEST_WAIT_MS = 60_000;

/** Asks the registry what it has against what the engine could not do. */
export async function registryTrouble(
  access: AskAccess,
  reference: string,
  use: RegistryUse,
  registries: readonly RegistryLogin[],
): Promise<RegistryTrouble> {
  const login = loginFor(reference, registries);
  return troubleIn(await askRegistry(access, reference, use, login), reference, use, login?.username);
}

/** What an answer means; `username` where a login went along. */
export function troubleIn(
  answer: RegistryAnswer | undefined,
  reference: string,
  use: RegistryUse,
  username: string | undefined,
): RegistryTrouble {
  const address = registryOf(reference);
  const { status, retryAfterMs } = answer ?? { status: 0, retryAfterMs: undefined };
  const of = (isPassing: boolean, why: string | undefined, next?: string): RegistryTrouble => ({
    isPassing: isPassing && (retryAfterMs ?? 0) <= LONGEST_WAIT_MS,
    retryAfterMs,
    why,
    next,
  });
  if (status === 0) {
    return of(
      true,
      undefined,
      `Asked by itself, ${address} gave no answer there: is it up, and its address right?`,
    );
  }
  if (status === 401 && username === undefined) {
    return of(false, `${address} wants a login (status 401)`, "Give it one in `registries`");
  }
  if (status === 401) {
    return of(
      false,
      `${address} refuses the login of ${username} (status 401)`,
      "Mend the user name or password in `registries`",
    );
  }
  if (status === 403) {
    const who = username ?? "somebody without a login";
    return of(
      false,
      `${address} does not let ${who} ${use} ${reference} (status 403)`,
      "Ask for the right there",
    );
  }
  if (status === 404) {
    return use === "pull"
      ? of(false, `${address} has no ${reference} (status 404)`, "Mend the name, or push it there first")
      : of(false, `${address} has no place for ${reference} (status 404)`, "Make the repository there first");
  }
  if (status === 429) {
    const wait = retryAfterMs === undefined ? "" : `, to be asked again in ${formatDuration(retryAfterMs)}`;
    const why = `${address} was asked too often (status 429${wait})`;
    const next =
      username === undefined ? "Run it again later, or give a login in `registries`" : "Run it again later";
    return of(true, why, next);
  }
  if (status >= 500) {
    return of(true, `${address} is not well (status ${status})`, "Run it again when it is");
  }
  return of(true, undefined);
}

/** How long to wait before try number `n + 1`; undefined when there is to be none. */
export function pauseAfter(
  { isPassing, retryAfterMs }: RegistryTrouble,
  n: number,
  random: () => number,
): number | undefined {
  if (!isPassing || n >= REGISTRY_ATTEMPTS) return undefined;
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (n - 1));
  return Math.max(retryAfterMs ?? 0, full / 2 + (full / 2) * random());
}

/** What trying again needs. */
export interface TrialContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/**
 * Runs `attempt` until it succeeds, or the trouble behind its failure is not a passing one.
 * @throws what `failure` makes of the last error and its trouble
 */
export async function throughTrouble<T>(
  { clock, random, signal, say }: TrialContext,
  attempt: () => Promise<T>,
  look: (error: unknown) => Promise<RegistryTrouble>,
  failure: (error: unknown, trouble: RegistryTrouble) => Error,
): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const trouble = await look(error);
      const pauseMs = pauseAfter(trouble, n, random);
      const failed = failure(error, trouble);
      if (pauseMs === undefined) throw failed;
      say(`${failed.message} Trying again in ${formatDuration(pauseMs)}`);
      await clock.sleep(pauseMs, signal);
    }
  }
}
