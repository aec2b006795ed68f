import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

type Done = (error?: Error | null) => void;

/**
 * A socket as node's HTTP client wants one, over an SSH channel that is opened when the socket is made. It is returned at
 * once: an http.Agent counts sockets only when createConnection returns them, not when it calls back.
 */
export class LazyChannel extends Duplex {
  private readonly open: () => Promise<ClientChannel>;
  private channel: ClientChannel | undefined;
  private received = false;

  constructor(open: () => Promise<ClientChannel>) {
    super({ allowHalfOpen: true });
    this.open = open;
  }

  override _construct(done: Done): void {
    this.open().then(
      (channel) => {
        if (this.destroyed) channel.destroy();
        this.attach(channel);
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

  private attach(channel: ClientChannel): void {
    this.channel = channel;
    let complaint = "";
    channel.on("data", (chunk: Buffer) => {
      this.received = true;
      if (!this.push(chunk)) channel.pause();
    });
    // a streamlocal channel has no stderr of its own; dial-stdio says there why it gave up
    channel.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(-2_000);
    });
    // an end before any answer is judged at the close, when stderr is complete
    channel.on("end", () => {
      if (this.received) this.push(null);
    });
    channel.on("error", (error: Error) => this.destroy(error));
    channel.on("close", () => {
      if (!this.received && complaint !== "") this.destroy(new Error(complaint.trim()));
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
