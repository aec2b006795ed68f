import { type Agent, type IncomingMessage, request } from "node:http";
import Docker from "dockerode";
import { SlipwayError, isSlipwayError, messageOf } from "../errors";
import type { Log } from "../log";
import { type ApiCall, borrowedAgent } from "./engine-agent";
import { ENGINE_WAYS, type EngineWay } from "./engine-way";
import type { Line } from "./line";

/** The oldest API we speak (Docker 20.10 has 1.41), and the newest we were tested with; newer engines speak it too. */
const OLDEST_API = 40;
const NEWEST_API = 51;

const WAY_NAMES: Readonly<Record<EngineWay, string>> = {
  streamlocal: "forwarding to /var/run/docker.sock",
  "dial-stdio": "docker system dial-stdio",
  "sudo dial-stdio": "docker system dial-stdio under sudo",
};

/**
 * A client of the engine behind this connection, at an API version both know. The way that worked last is tried first.
 * @throws SlipwayError engine-unreachable, connection-lost
 */
export async function connectEngine(line: Line, log: Log, signal: AbortSignal | undefined): Promise<Docker> {
  const failures: string[] = [];
  for (const way of waysToTry(line)) {
    signal?.throwIfAborted();
    const agent = agentFor(line, way, log);
    try {
      const version = await negotiate(agent, line.target, signal);
      line.memory.engineWay = way;
      log.debug(`engine ${line.target}: ${WAY_NAMES[way]}, API ${version}`);
      return clientOf(agent, version);
    } catch (error) {
      signal?.throwIfAborted();
      if (line.transport.closed.aborted) throw line.transport.lost();
      if (isSlipwayError(error, "engine-unreachable")) throw error;
      log.debug(`engine ${line.target}: ${WAY_NAMES[way]} failed: ${messageOf(error)}`);
      failures.push(`${WAY_NAMES[way]}: ${messageOf(error)}`);
      line.dropEngineAgent(way);
    }
  }
  line.memory.engineWay = undefined;
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "reaching the Docker Engine",
    host: line.target,
    why: line.redact(failures.at(-1) ?? "no way leads to it"),
    next: "Look at systemctl status docker there; the user has to be root, in the group docker, or a sudoer",
    evidence: failures.map((failure) => `- ${line.redact(failure)}`).join("\n"),
  });
}

function waysToTry(line: Line): readonly EngineWay[] {
  const last = line.memory.engineWay;
  const others = ENGINE_WAYS.filter((way) => way !== last);
  const ways = last === undefined ? others : [last, ...others];
  const { user } = line.connection;
  if (user === undefined || user === "root") return ways.filter((way) => way !== "sudo dial-stdio");
  return ways;
}

function agentFor(line: Line, way: EngineWay, log: Log): Agent {
  const onStart = (): ((call: ApiCall) => void) => {
    const started = performance.now();
    return ({ method, path, status, error }) => {
      const end = error === undefined ? String(status) : `failed: ${line.redact(messageOf(error))}`;
      log.debug(
        `api ${line.target} ${method} ${line.redact(path)} -> ${end}, ${Math.round(performance.now() - started)}ms`,
      );
    };
  };
  const brokenOff = (): Error =>
    line.transport.closed.aborted
      ? line.transport.lost()
      : new SlipwayError({
          code: "connection-lost",
          what: "talking to the Docker Engine",
          host: line.target,
          why: "its answer broke off",
        });
  return borrowedAgent(line.engineAgent(way), onStart, brokenOff);
}

function clientOf(agent: Agent, version: string): Docker {
  // all that docker-modem would take from DOCKER_HOST and its like is set here
  const options = {
    host: "docker",
    port: 80,
    protocol: "http",
    pathPrefix: "/",
    timeout: undefined,
    agent,
    version,
  };
  return new Docker(options as unknown as Docker.DockerOptions);
}

/** `v1.45`: the newest API that both sides know. */
async function negotiate(agent: Agent, target: string, signal: AbortSignal | undefined): Promise<string> {
  const offered = await ping(agent, signal);
  const match = /^1\.(\d+)$/.exec(offered);
  const minor = Number(match?.[1]);
  if (match && minor >= OLDEST_API) return `v1.${Math.min(minor, NEWEST_API)}`;
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "talking to the Docker Engine",
    host: target,
    why:
      offered === ""
        ? "it does not say which API it speaks"
        : `its API ${offered} is older than 1.${OLDEST_API}`,
    next: "Docker 20.10 or newer is needed",
  });
}

function ping(agent: Agent, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { agent, host: "docker", path: "/_ping", method: "GET", ...(signal === undefined ? {} : { signal }) },
      (response: IncomingMessage) => {
        const version = response.headers["api-version"];
        response.resume();
        response.once("end", () => resolve(typeof version === "string" ? version : ""));
      },
    );
    call.once("error", reject);
    call.end();
  });
}
