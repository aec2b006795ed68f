import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/** A channel as a plain stream. */
export interface OpenedStream {
  readonly channel: ClientChannel;
  /** True when its `close` has come: it may be in the packet that opened it, before anybody could listen. */
  readonly closed: () => boolean;
  /** What was said beside the stream, so far: the reason when it closes without an answer. */
  readonly complaint: () => string;
}

/** To be called when the channel opens, before anything else can happen on it. */
export function openedStream(channel: ClientChannel, complaint: () => string): OpenedStream {
  let closed = false;
  channel.once("close", () => {
    closed = true;
  });
  return { channel, complaint, closed: () => closed };
}

type Done = (error?: Error | null) => void;

/**
 * A socket as node's HTTP client wants one, over an SSH channel that is opened when the socket is made. It is returned at
 * once: an http.Agent counts sockets only when createConnection returns them, not when it calls back.
 */
export class LazyChannel extends Duplex {
  private readonly open: () => Promise<OpenedStream>;
  private readonly lost: () => Error | undefined;
  private channel: ClientChannel | undefined;
  private received = false;

  /** `lost`: why the connection below is gone, when it is; its end is no end of an answer. */
  constructor(open: () => Promise<OpenedStream>, lost: () => Error | undefined) {
    // a daemon that restarts ends its side: an idle channel has to close with it, or the next call waits on it for ever
    super({ allowHalfOpen: false });
    this.open = open;
    this.lost = lost;
    // a hijacked stream whose borrower listens for its end only must not end the process
    this.on("error", () => {});
  }

  override _construct(done: Done): void {
    this.open().then(
      (opened) => {
        if (this.destroyed) opened.channel.destroy();
        this.attach(opened);
        done();
      },
      // destroyed meanwhile, it has its reason; a second one would make an AggregateError of both
      (error: unknown) => (this.destroyed ? done() : done(error as Error)),
    );
  }

  override _read(): void {
    this.channel?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.channel?.write(chunk, () => done());
  }

  override _final(done: Done): void {
    this.channel?.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.channel?.destroy();
    done(error);
  }

  private attach({ channel, complaint, closed }: OpenedStream): void {
    this.channel = channel;
    channel.on("data", (chunk: Buffer) => {
      this.received = true;
      if (!this.push(chunk)) channel.pause();
    });
    // an end before any answer is judged at the close, when stderr is complete
    channel.on("end", () => {
      if (this.received) this.finish();
    });
    channel.on("error", (error: Error) => this.destroy(error));
    const onClose = (): void => {
      // stderr may still be on its way to whoever collects it
      if (!this.received) setImmediate(() => this.destroy(this.lost() ?? complained(complaint())));
      else if (!this.readableEnded) this.finish();
    };
    if (closed()) onClose();
    else channel.once("close", onClose);
  }

  private finish(): void {
    const lost = this.lost();
    if (lost === undefined) this.push(null);
    else this.destroy(lost);
  }

  // what an http.Agent asks of a net.Socket; the connection below has its own keepalive and no delay
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
}

function complained(words: string): Error {
  return new Error(words === "" ? "it closed without an answer" : words);
}
