import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { LazyChannel, type OpenedStream } from "./lazy-channel";

/** Channels for ordinary API calls; streams have their own. */
const CALL_CHANNELS = 8;

interface AddsRequests {
  addRequest(request: ClientRequest, options: object): void;
}

class ChannelAgent extends Agent {
  private readonly open: () => Promise<OpenedStream>;
  private readonly mayKeep: () => boolean;

  constructor(open: () => Promise<OpenedStream>, mayKeep: () => boolean, maxSockets: number) {
    super({ keepAlive: true, maxSockets, maxFreeSockets: CALL_CHANNELS });
    this.open = open;
    this.mayKeep = mayKeep;
  }

  override createConnection(): Duplex {
    return new LazyChannel(this.open);
  }

  /** Node asks this when a call is done; false closes the channel. */
  override keepSocketAlive(): boolean {
    return this.mayKeep();
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }
}

/** The HTTP side of one way to the engine: kept-alive channels, at most eight for calls, one more for each stream. */
export class EngineAgent {
  readonly calls: AddsRequests;
  readonly streams: AddsRequests;
  private readonly agents: readonly ChannelAgent[];

  /** `mayKeep`: whether a channel that no call uses may stay open. */
  constructor(open: () => Promise<OpenedStream>, mayKeep: () => boolean, callChannels = CALL_CHANNELS) {
    const calls = new ChannelAgent(open, mayKeep, callChannels);
    const streams = new ChannelAgent(open, mayKeep, Number.POSITIVE_INFINITY);
    this.agents = [calls, streams];
    this.calls = calls as unknown as AddsRequests;
    this.streams = streams as unknown as AddsRequests;
  }

  /** Gives back the channels that no call uses now. */
  closeIdle(): void {
    for (const agent of this.agents) agent.closeIdle();
  }

  /** Ends everything, calls in flight too. */
  destroy(): void {
    for (const agent of this.agents) agent.destroy();
  }
}

/** What is told about each API call when it ended. `status` is undefined when there was no answer. */
export interface ApiCall {
  readonly method: string;
  /** Without the query, which may hold secrets (build arguments). */
  readonly path: string;
  readonly status: number | undefined;
  readonly error: Error | undefined;
}

/**
 * An http.Agent in front of the shared one, for one borrower: it tells about each call, keeps streams apart, and turns an
 * answer that breaks off into an error (docker-modem waits for its `end` alone, and would wait for ever).
 */
export function borrowedAgent(
  shared: EngineAgent,
  onStart: (method: string, path: string) => (call: ApiCall) => void,
  brokenOff: () => Error,
): Agent {
  const facade = {
    protocol: "http:",
    defaultPort: 80,
    keepAlive: true,
    maxSockets: CALL_CHANNELS,
    options: {},
    addRequest(request: ClientRequest, options: object): void {
      const path = request.path.split("?")[0] ?? "";
      const tell = onStart(request.method, path);
      const told = (status?: number, error?: Error): void =>
        tell({ method: request.method, path, status, error });
      request.once("response", (response: IncomingMessage) => {
        told(response.statusCode);
        response.once("close", () => {
          if (!response.complete && !request.destroyed) request.emit("error", brokenOff());
          else if (!response.complete && !response.readableEnded) request.emit("error", brokenOff());
        });
      });
      request.once("upgrade", (response: IncomingMessage) => told(response.statusCode));
      request.once("error", (error: Error) => told(undefined, error));
      (isStream(request.path) ? shared.streams : shared.calls).addRequest(request, options);
    },
  };
  return facade as unknown as Agent;
}

/** Calls that last as long as something runs; they must not use up the channels for calls. */
function isStream(pathAndQuery: string): boolean {
  const [path = "", query = ""] = pathAndQuery.split("?");
  return (
    /\/(events|attach|wait|build|stats|export|load|get)$|\/exec\/[^/]+\/start$|\/images\/(create|[^?]+\/push)$/.test(
      path,
    ) || /(^|&)follow=(1|true)/.test(query)
  );
}
