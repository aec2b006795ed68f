import type { LiveConnection } from "./live-connection";
import type { Dialled } from "./dial-once";

/** How long an unused connection is kept: other resources of the run will want it. */
const IDLE_MS = 60_000;

/** All connections of the process, by route and credentials. */
const all = new Map<string, PooledConnection>();
let processEnds = false;

/** A connection of the process, being dialled or live. */
export function pooledConnection(key: string): PooledConnection | undefined {
  return all.get(key);
}

/** Says goodbye on every connection that nobody uses now, and on the others as soon as they are given back. */
export function leaveConnections(): void {
  for (const each of [...all.values()]) each.leave();
}

/** The process is ending: what is given back from now on is closed, too. */
export function leaveForGood(): void {
  processEnds = true;
  leaveConnections();
}

/** One connection of the process, shared by all who want the same one, and by the connections that go through it. */
export class PooledConnection {
  readonly key: string;
  /** The route with what its dialler demands of the machine's key, see `strictRouteKey`. */
  readonly strictKey: string;
  readonly dialling: Promise<LiveConnection>;
  private dialled: (Dialled & { readonly live: LiveConnection }) | undefined;
  /** Sessions in use on it, and on connections that go through it. */
  private borrowers = 0;
  /** Live connections that go through it, in use or not. */
  private riders = 0;
  private bastion: PooledConnection | undefined;
  private leaving = false;
  private idle: NodeJS.Timeout | undefined;
  private readonly abandon = new AbortController();

  /** `start` dials, and gives up when its signal is aborted: nobody waits any more. */
  constructor(
    key: string,
    strictKey: string,
    start: (
      entry: PooledConnection,
      signal: AbortSignal,
    ) => Promise<Dialled & { readonly live: LiveConnection }>,
  ) {
    this.key = key;
    this.strictKey = strictKey;
    all.set(key, this);
    this.dialling = start(this, this.abandon.signal).then((dialled) => this.take(dialled));
    this.dialling.catch(() => this.gone());
  }

  /** The live connection; undefined while it is dialled. */
  get live(): LiveConnection | undefined {
    return this.dialled?.live;
  }

  /** The connection that it goes through, when that one is still live. */
  get liveBastion(): LiveConnection | undefined {
    const live = this.bastion?.live;
    return live?.transport.closed.aborted === false ? live : undefined;
  }

  /** Counts a user in. Only a connection that is in use holds the process. */
  borrow(): void {
    this.borrowers += 1;
    clearTimeout(this.idle);
    if (this.borrowers > 1) return;
    this.dialled?.socket?.ref();
    this.bastion?.borrow();
  }

  /** Counts a user out: the last one leaves the connection idle, or gives up a dial that nobody waits for any more. */
  giveBack(): void {
    this.borrowers -= 1;
    if (this.borrowers > 0) return;
    this.dialled?.socket?.unref();
    this.bastion?.giveBack();
    this.rest();
  }

  /** From now on it goes through `bastion`, on which the caller has counted itself in. */
  ride(bastion: PooledConnection): void {
    this.getOff();
    this.bastion = bastion;
    bastion.riders += 1;
    if (this.borrowers === 0) bastion.giveBack();
  }

  /** Closes it as soon as nobody uses it. */
  leave(): void {
    this.leaving = true;
    if (this.borrowers === 0 && this.riders === 0) this.close();
  }

  private take(dialled: Dialled & { readonly live: LiveConnection }): LiveConnection {
    const { transport, live } = dialled;
    if (this.abandon.signal.aborted) {
      // the login was done just before: nobody else knows of this connection
      transport.end();
      throw this.abandon.signal.reason as Error;
    }
    // gone in the packet that logged us in: nobody would hear of it any more
    if (transport.closed.aborted) throw transport.lost();
    this.dialled = dialled;
    transport.closed.addEventListener("abort", () => this.gone(), { once: true });
    return live;
  }

  private rest(): void {
    if (this.borrowers > 0 || this.riders > 0) return;
    if (this.dialled === undefined) {
      this.abandon.abort(new Error("nobody waits for this connection any more"));
      this.forget();
    } else if (this.leaving || processEnds) {
      this.close();
    } else {
      this.idle = setTimeout(() => this.close(), IDLE_MS).unref();
    }
  }

  private close(): void {
    this.forget();
    this.dialled?.transport.end();
  }

  private gone(): void {
    this.forget();
    this.getOff();
  }

  /** The next one who wants it dials anew. */
  private forget(): void {
    clearTimeout(this.idle);
    if (all.get(this.key) === this) all.delete(this.key);
  }

  private getOff(): void {
    const { bastion } = this;
    if (bastion === undefined) return;
    this.bastion = undefined;
    bastion.riders -= 1;
    if (this.borrowers > 0) bastion.giveBack();
    else bastion.rest();
  }
}
