import type { Agent } from "node:http";
import Docker from "dockerode";
import { SlipwayError, isSlipwayError, messageOf } from "../../errors";
import type { Log } from "../../log";
import { quoteAll } from "../command/command";
import { LOOK_AT_DAEMON } from "../daemon-log";
import { type ApiCall, borrowedAgent } from "./engine-agent";
import { negotiateVersion } from "./engine-version";
import { DIAL_STDIO, ENGINE_SOCKET, ENGINE_WAYS, type EngineWay } from "./engine-way";
import type { FoundEngine, LiveConnection } from "../transport/live-connection";
import { orAborted } from "../../or-aborted";

const WAY_NAMES: Readonly<Record<EngineWay, string>> = {
  streamlocal: `forwarding to ${ENGINE_SOCKET}`,
  "dial-stdio": "docker system dial-stdio",
  "sudo dial-stdio": "docker system dial-stdio under sudo",
};

const WAY_COMMANDS: Readonly<Record<EngineWay, string>> = {
  streamlocal: `streamlocal ${ENGINE_SOCKET}`,
  "dial-stdio": `$ ${quoteAll(DIAL_STDIO)}`,
  "sudo dial-stdio": `$ sudo ${quoteAll(DIAL_STDIO)}`,
};

/**
 * A client of the engine behind this connection, at an API version both know. Way and version are found once a
 * connection: further clients cost no round trip until the daemon restarts.
 * @throws SlipwayError engine-unreachable, connection-lost
 */
export async function connectEngine(live: LiveConnection, log: Log, signal: AbortSignal): Promise<Docker> {
  const { way, version } = await orAborted(findEngine(live, log), signal);
  return clientOf(agentFor(live, way, log), version);
}

function findEngine(live: LiveConnection, log: Log): Promise<FoundEngine> {
  const way = live.memory.engineWay;
  const version = way === undefined ? undefined : live.engineAgent(way).version;
  if (way !== undefined && version !== undefined) return Promise.resolve({ way, version });
  // whoever comes meanwhile waits for the same search, so it ends with no one borrower
  live.engineSearch ??= searchEngine(live, log).finally(() => {
    live.engineSearch = undefined;
  });
  return live.engineSearch;
}

/** Tries the way that worked last, then the others. */
async function searchEngine(live: LiveConnection, log: Log): Promise<FoundEngine> {
  const failures: string[] = [];
  for (const way of waysToTry(live)) {
    log.debug(`engine ${live.target}: ${WAY_COMMANDS[way]}`);
    try {
      const version = await negotiateVersion(agentFor(live, way, log), live.target);
      live.engineAgent(way).version = version;
      live.memory.engineWay = way;
      log.debug(`engine ${live.target}: ${WAY_NAMES[way]}, API ${version}`);
      return { way, version };
    } catch (error) {
      if (live.transport.closed.aborted) throw live.transport.lost();
      if (isSlipwayError(error, "engine-unreachable")) throw error;
      log.debug(`engine ${live.target}: ${WAY_NAMES[way]} failed: ${live.redact(messageOf(error))}`);
      failures.push(`${WAY_NAMES[way]}: ${messageOf(error)}`);
      live.dropEngineAgent(way);
    }
  }
  live.memory.engineWay = undefined;
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "reaching the Docker Engine",
    host: live.target,
    why: live.redact(failures.at(-1) ?? "no way leads to it"),
    next: `${LOOK_AT_DAEMON}; the user has to be root, in the group docker, or a sudoer`,
    evidence: failures.map((failure) => `- ${live.redact(failure)}`).join("\n"),
  });
}

function waysToTry(live: LiveConnection): readonly EngineWay[] {
  const last = live.memory.engineWay;
  const others = ENGINE_WAYS.filter((way) => way !== last);
  const ways = last === undefined ? others : [last, ...others];
  const { user } = live.connection;
  if (user === undefined || user === "root") return ways.filter((way) => way !== "sudo dial-stdio");
  return ways;
}

function agentFor(live: LiveConnection, way: EngineWay, log: Log): Agent {
  const onStart = (): ((call: ApiCall) => void) => {
    const started = performance.now();
    return ({ method, path, status, error }) => {
      const end = error === undefined ? String(status) : `failed: ${live.redact(messageOf(error))}`;
      log.debug(
        `api ${live.target} ${method} ${live.redact(path)} -> ${end}, ${Math.round(performance.now() - started)}ms`,
      );
    };
  };
  const brokenOff = (cause?: Error): Error =>
    live.transport.closed.aborted
      ? live.transport.lost()
      : new SlipwayError({
          code: "connection-lost",
          what: "talking to the Docker Engine",
          host: live.target,
          why: "it closed the line in the middle of a call, whose outcome is unknown",
          next: "The next run looks at the machine again and goes on from there",
          ...(cause !== undefined && { cause }),
        });
  const explain = (error: Error): Error =>
    "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE") ? brokenOff(error) : error;
  return borrowedAgent(live.engineAgent(way), { onStart, explain, brokenOff });
}

function clientOf(agent: Agent, version: string): Docker {
  const options = {
    host: "docker",
    port: 80,
    protocol: "http",
    pathPrefix: "/",
    timeout: undefined,
    agent,
    version,
  };
  return withoutDockerVariables(() => new Docker(options as unknown as Docker.DockerOptions));
}

/** docker-modem reads DOCKER_HOST, and with it certificate files, even where every option is given. */
function withoutDockerVariables<T>(make: () => T): T {
  const { DOCKER_HOST } = process.env;
  delete process.env.DOCKER_HOST;
  try {
    return make();
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST;
  }
}
