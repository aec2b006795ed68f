import type { Client, ClientChannel } from "ssh2";
import { SlipwayError, messageOf } from "../../errors";
import type { Clock } from "../../clock";
import { ChannelQueue, type ChannelUse } from "./channel-queue";
import { ChannelRefused } from "../channel-refused";

/** Session channels (commands) in use at once; sshd allows ten by default and others may be there too. */
const SESSION_CHANNELS = 8;

/** Waiting for a place that the server still holds: 20 ms, doubling up to this, 5 s in all. */
const LONGEST_REFUSAL_PAUSE_MS = 2_560;
/** Pauses for one that is still ending there are shorter. */
const LINGERING_PAUSE_MS = 160;

/** How a command waits for its channel. */
export interface ExecOptions {
  /** Ends the waiting for a place; what the server was asked already goes on. */
  readonly signal?: AbortSignal;
  /** @default "brief" */
  readonly use?: ChannelUse;
  /** Told when the server is asked to start it, and (false) when it refused: then it waits for a place again. */
  readonly onAsked?: (asked: boolean) => void;
}

/** One live ssh2 connection: opens channels, counts the session ones, and knows when it is dead. */
export class Transport {
  readonly target: string;
  /** The raw public key that the machine presented. */
  readonly presentedKey: Buffer;
  /** Aborted, with the reason, when the connection is gone. */
  readonly closed: AbortSignal;
  private readonly client: Client;
  private readonly clock: Clock;
  private readonly queue: ChannelQueue;
  private readonly idleHolders = new Set<() => void>();
  private commandStarted = false;

  constructor(client: Client, target: string, presentedKey: Buffer, closed: AbortSignal, clock: Clock) {
    this.client = client;
    this.clock = clock;
    this.target = target;
    this.presentedKey = presentedKey;
    this.closed = closed;
    this.queue = new ChannelQueue(SESSION_CHANNELS, () => this.idleHolders.forEach((giveUp) => giveUp()));
  }

  /** `giveUp` is called when commands wait for a channel: idle ones should be closed. Gives the way to stop that. */
  onChannelPressure(giveUp: () => void): () => void {
    this.idleHolders.add(giveUp);
    return () => void this.idleHolders.delete(giveUp);
  }

  /**
   * Starts a command on a session channel, waiting for a free one; the channel counts until its `close`. `attach` runs
   * before anything else can happen on the channel: a command's `exit` may be in the packet that follows at once.
   */
  async exec<T>(
    line: string,
    attach: (channel: ClientChannel) => T,
    { signal, use = "brief", onAsked = () => {} }: ExecOptions = {},
  ): Promise<T> {
    let pauseMs = 20;
    for (;;) {
      const release = await this.queue.take(signal, use);
      this.commandStarted = true;
      onAsked(true);
      try {
        return await this.open(
          (done) => this.client.exec(line, done),
          (channel) => {
            this.queue.opened(release);
            this.closed.addEventListener("abort", release, { once: true });
            channel.once("close", () => {
              this.closed.removeEventListener("abort", release);
              release();
            });
            return attach(channel);
          },
        );
      } catch (error) {
        if (!(error instanceof ChannelRefused)) {
          release();
          throw error;
        }
        onAsked(false);
        // a command that we closed may still be ending there: that is no limit of the server's
        if (pauseMs < LINGERING_PAUSE_MS && this.queue.mayLinger) release();
        else if (this.queue.refused(release)) continue;
        // none of ours is open
        else if (pauseMs > LONGEST_REFUSAL_PAUSE_MS) throw error;
        await this.clock.sleep(pauseMs, signal);
        pauseMs *= 2;
      }
    }
  }

  /** True when commands wait for a session channel: whoever holds one that is idle should close it. */
  get channelsWanted(): boolean {
    return this.queue.wanted;
  }

  /**
   * OpenSSH's server sets TCP_NODELAY when the first command of a connection starts. Until then it holds small answers
   * back for up to 40 ms while others are on their way: a connection that only forwards has a command run, unwaited for.
   */
  quicken(): void {
    if (this.commandStarted) return;
    this.exec("true", (channel) => channel.on("error", () => {}).resume()).catch(() => {
      // where no command may run, forwarding works all the same
    });
  }

  /** A stream to a socket file on the machine; `attach` as in `exec`. @throws ChannelRefused */
  async streamLocal<T>(path: string, attach: (channel: ClientChannel) => T): Promise<T> {
    return this.open((done) => this.client.openssh_forwardOutStreamLocal(path, done), attach);
  }

  /** A stream to an address as the machine sees it. @throws ChannelRefused */
  async forward(address: string, port: number): Promise<ClientChannel> {
    return this.open((done) => this.client.forwardOut("127.0.0.1", 0, address, port, done), itself);
  }

  /** Says goodbye and closes. */
  end(): void {
    this.client.end();
  }

  private open<T>(
    start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    attach: (channel: ClientChannel) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.closed.aborted) return reject(this.lost());
      const onClosed = (): void => reject(this.lost());
      this.closed.addEventListener("abort", onClosed, { once: true });
      const settle = (): void => this.closed.removeEventListener("abort", onClosed);
      try {
        start((error, channel) => {
          settle();
          if (this.closed.aborted) return reject(this.lost());
          // a reason code is what tells a refused channel from a refused request on an open one
          if (error) return reject("reason" in error ? new ChannelRefused(error) : error);
          resolve(attach(channel));
        });
      } catch (error) {
        settle();
        reject(this.lost(error));
      }
    });
  }

  /** The error of whoever needed the connection when it was gone. */
  lost(cause?: unknown): SlipwayError {
    const reason: unknown = this.closed.reason ?? cause;
    return new SlipwayError({
      code: "connection-lost",
      what: "talking over SSH",
      host: this.target,
      why: reason === undefined ? "the connection closed" : `the connection was lost: ${messageOf(reason)}`,
      cause: reason,
    });
  }
}

function itself(channel: ClientChannel): ClientChannel {
  return channel;
}
