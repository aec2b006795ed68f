import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { LazyChannel, type OpenedStream } from "./lazy-channel";

/** How an agent gets its channels, and how many it may have. */
export interface EngineChannels {
  /** Opens one; a long one lives as long as something runs, and must not take the places of commands. */
  readonly open: (long: boolean) => Promise<OpenedStream>;
  /** Whether a channel that no call uses may stay open. */
  readonly mayKeep: () => boolean;
  /** Why the connection below is gone, when it is. */
  readonly lost: () => Error | undefined;
  /** Channels for ordinary calls; further calls wait for one. Streams have channels of their own. */
  readonly calls: number;
}

interface AddsRequests {
  addRequest(request: ClientRequest, options: object): void;
}

class ChannelAgent extends Agent {
  private readonly channels: EngineChannels;
  private readonly long: boolean;
  private readonly onClosed: () => void;

  constructor(channels: EngineChannels, long: boolean, onClosed: () => void) {
    const maxSockets = long ? Number.POSITIVE_INFINITY : channels.calls;
    super({ keepAlive: true, maxSockets, maxFreeSockets: channels.calls });
    this.channels = channels;
    this.long = long;
    this.onClosed = onClosed;
  }

  override createConnection(): Duplex {
    const { open, lost } = this.channels;
    return new LazyChannel(() => open(this.long), lost).once("close", this.onClosed);
  }

  /** Node asks this when a call is done; false closes the channel. */
  override keepSocketAlive(): boolean {
    return this.channels.mayKeep();
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) sockets?.forEach((socket) => socket.destroy());
  }

  /** Those who wait for an answer get `error`. */
  fail(error: Error | undefined): void {
    for (const sockets of [...Object.values(this.sockets), ...Object.values(this.freeSockets)]) {
      sockets?.forEach((socket) => socket.destroy(error));
    }
  }
}

/** The HTTP side of one way to the engine: kept-alive channels for calls, and one more for each stream. */
export class EngineAgent {
  /** The API version to speak, once negotiated. A daemon that restarts as another version ends the channels, and this. */
  version: string | undefined;
  readonly calls: AddsRequests;
  readonly streams: AddsRequests;
  private readonly agents: readonly ChannelAgent[];

  constructor(channels: EngineChannels) {
    const calls = new ChannelAgent(channels, false, () => {
      this.version = undefined;
    });
    const streams = new ChannelAgent(channels, true, () => {});
    this.agents = [calls, streams];
    this.calls = calls as unknown as AddsRequests;
    this.streams = streams as unknown as AddsRequests;
  }

  /** Gives back the channels that no call uses now. */
  closeIdle(): void {
    for (const agent of this.agents) agent.closeIdle();
  }

  /** Ends everything; calls in flight fail with `error`. */
  destroy(error?: Error): void {
    for (const agent of this.agents) agent.fail(error);
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

/** What one borrower wants to hear of its calls. */
export interface CallListener {
  /** Called at the start of each call; what it returns is called at the end. */
  readonly onStart: () => (call: ApiCall) => void;
  /** The error to show for one that node's HTTP client gives. */
  readonly explain: (error: Error) => Error;
  /** The error of an answer that broke off (docker-modem waits for its `end` alone, and would wait for ever). */
  readonly brokenOff: () => Error;
}

/** An http.Agent in front of the shared one, for one borrower: tells about each call, and keeps streams apart. */
export function borrowedAgent(shared: EngineAgent, listener: CallListener): Agent {
  const facade = {
    protocol: "http:",
    defaultPort: 80,
    keepAlive: true,
    options: {},
    addRequest(request: ClientRequest, options: object): void {
      const path = request.path.split("?")[0] ?? "";
      const tell = listener.onStart();
      const told = (status?: number, error?: Error): void =>
        tell({ method: request.method, path, status, error });
      explainErrors(request, listener.explain);
      request.once("response", (response: IncomingMessage) => {
        told(response.statusCode);
        response.once("close", () => {
          if (!response.complete && !(request.destroyed && response.readableEnded)) {
            request.emit("error", listener.brokenOff());
          }
        });
      });
      request.once("upgrade", (response: IncomingMessage) => told(response.statusCode));
      request.once("error", (error: Error) => told(undefined, error));
      (isStream(request.path) ? shared.streams : shared.calls).addRequest(request, options);
    },
  };
  return facade as unknown as Agent;
}

/** Node's words for a line that closed ("socket hang up") say neither where nor why. */
function explainErrors(request: ClientRequest, explain: (error: Error) => Error): void {
  const emit = request.emit.bind(request) as (event: string | symbol, ...values: unknown[]) => boolean;
  request.emit = (event: string | symbol, ...values: unknown[]): boolean =>
    event === "error" ? emit(event, explain(values[0] as Error)) : emit(event, ...values);
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
