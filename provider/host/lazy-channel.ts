import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/** A channel as a plain stream. */
export interface OpenedStream {
  readonly channel: ClientChannel;
  /** What was said beside the stream, so far: the reason when it closes without an answer. */
  readonly complaint: () => string;
}

type Done = (error?: Error | null) => void;

/**
 * A socket as node's HTTP client wants one, over an SSH channel that is opened when the socket is made. It is returned at
 * once: an http.Agent counts sockets only when createConnection returns them, not when it calls back.
 */
export class LazyChannel extends Duplex {
  private readonly open: () => Promise<OpenedStream>;
  private channel: ClientChannel | undefined;
  private received = false;

  constructor(open: () => Promise<OpenedStream>) {
    // a daemon that restarts ends its side: an idle channel has to close with it, or the next call waits on it for ever
    super({ allowHalfOpen: false });
    this.open = open;
  }

  override _construct(done: Done): void {
    this.open().then(
      (opened) => {
        if (this.destroyed) opened.channel.destroy();
        this.attach(opened);
        done();
      },
      (error: unknown) => done(error as Error),
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

  private attach({ channel, complaint }: OpenedStream): void {
    this.channel = channel;
    channel.on("data", (chunk: Buffer) => {
      this.received = true;
      if (!this.push(chunk)) channel.pause();
    });
    // an end before any answer is judged at the close, when stderr is complete
    channel.on("end", () => {
      if (this.received) this.push(null);
    });
    channel.on("error", (error: Error) => this.destroy(error));
    channel.on("close", () => {
      // stderr may still be on its way to whoever collects it
      if (!this.received) setImmediate(() => this.destroy(complained(complaint())));
      else if (!this.readableEnded) this.push(null);
    });
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
