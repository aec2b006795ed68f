import { type Agent, type IncomingMessage, request } from "node:http";
import { SlipwayError } from "../../errors";
import { LOOK_AT_DAEMON } from "../daemon-log";

/** Docker 19.03. */
const OLDEST_API = 40;
/**
 * The newest published one. Engines up to 1.51 (Docker 28) were run; 1.52 to 1.56 were read for what we send and read, in
 * https://github.com/moby/moby/blob/master/api/docs/CHANGELOG.md.
 */
const NEWEST_API = 56;
/** A daemon that is being restarted holds its callers until it is up. */
const ANSWER_MS = 60_000;

/**
 * `v1.45`: the newest API that both sides know. One round trip, two when the engine is newer than we are.
 * @throws SlipwayError engine-unreachable: no version is known to both, or the engine takes the call and says nothing
 */
export async function negotiateVersion(agent: Agent, target: string, answerMs = ANSWER_MS): Promise<string> {
  const ask = async (prefix: string): Promise<Pong> => {
    const late = AbortSignal.timeout(answerMs);
    try {
      return await ping(agent, prefix, late);
    } catch (error) {
      throw late.aborted ? silent(target, answerMs) : error;
    }
  };
  const { apiVersion } = await ask("");
  const match = /^1\.(\d+)$/.exec(apiVersion);
  const minor = Number(match?.[1]);
  if (!match) throw noCommonApi(target, "it does not say which API it speaks");
  if (minor < OLDEST_API) {
    throw noCommonApi(
      target,
      `its API ${apiVersion} is older than 1.${OLDEST_API}`,
      "Docker 19.03 or newer is needed",
    );
  }
  if (minor <= NEWEST_API) return `v1.${minor}`;
  // it may have given up what we speak: the answer to a version that it refuses is 400
  const { status } = await ask(`/v1.${NEWEST_API}`);
  if (status !== 400) return `v1.${NEWEST_API}`;
  throw noCommonApi(
    target,
    `its API ${apiVersion} no longer takes 1.${NEWEST_API}, the newest that this release of Slipway speaks`,
    "Use a newer release of Slipway, or set DOCKER_MIN_API_VERSION for that daemon",
  );
}

function noCommonApi(target: string, why: string, next?: string): SlipwayError {
  const parts = { what: "talking to the Docker Engine", host: target, why };
  return new SlipwayError({ code: "engine-unreachable", ...parts, ...(next !== undefined && { next }) });
}

function silent(target: string, answerMs: number): SlipwayError {
  return new SlipwayError({
    code: "engine-unreachable",
    what: "talking to the Docker Engine",
    host: target,
    why: "it takes the call and does not answer",
    after: `after ${answerMs / 1_000}s`,
    next: `${LOOK_AT_DAEMON}, then run pulumi up again`,
  });
}

interface Pong {
  readonly status: number | undefined;
  readonly apiVersion: string;
}

function ping(agent: Agent, prefix: string, signal: AbortSignal): Promise<Pong> {
  return new Promise((resolve, reject) => {
    const call = request(
      { agent, host: "docker", path: `${prefix}/_ping`, method: "GET", signal },
      (response: IncomingMessage) => {
        const version = response.headers["api-version"];
        response.resume();
        response.once("end", () =>
          resolve({ status: response.statusCode, apiVersion: typeof version === "string" ? version : "" }),
        );
      },
    );
    call.once("error", reject);
    call.end();
  });
}
