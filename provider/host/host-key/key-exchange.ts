/** What one side of a connection offered at its start. */
export interface KeyExchangeOffer {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
}

/** How far one side has come: nothing said, its version line said, its offer made. */
export type PeerProgress = "silent" | "greeted" | "offered";

const SSH_MSG_KEXINIT = 20;
/** More is nobody's greeting; it is not kept. */
const LONGEST_START = 64 * 1024;

/**
 * Reads along at the start of a connection, which is in clear: the greeting and, when it is the first packet, the offer.
 * Somebody in between can make the offer unreadable, but not change it unseen: it is signed over later.
 */
export class PeerStart {
  private readonly read = { bytes: Buffer.alloc(0), done: false };
  private state: PeerProgress = "silent";
  private made: KeyExchangeOffer | undefined;

  get progress(): PeerProgress {
    return this.state;
  }

  /** Undefined until it was made, and when something else came first. */
  get offer(): KeyExchangeOffer | undefined {
    return this.made;
  }

  /** True when the server counts packets strictly from the first one on (the answer to Terrapin, CVE-2023-48795). */
  get strict(): boolean {
    return this.made?.kex.includes("kex-strict-s-v00@openssh.com") ?? false;
  }

  /** Takes what came next. */
  take(chunk: Buffer): void {
    if (this.read.done) return;
    this.read.bytes = Buffer.concat([this.read.bytes, chunk]);
    const packet = this.afterGreeting();
    const length = packet !== undefined && packet.length >= 4 ? packet.readUInt32BE(0) : undefined;
    if (packet !== undefined && length !== undefined && packet.length >= 4 + length) {
      this.made = readOffer(packet.subarray(5, 4 + length));
      this.state = "offered";
      this.finish();
    } else if (this.read.bytes.length > LONGEST_START) {
      this.finish();
    }
  }

  /** What follows the version's line; other lines may come before it. */
  private afterGreeting(): Buffer | undefined {
    const { bytes } = this.read;
    const at = bytes.toString("latin1", 0, 4) === "SSH-" ? 0 : bytes.indexOf("\nSSH-") + 1;
    const end = bytes.indexOf("\n", at);
    if (bytes.toString("latin1", at, at + 4) !== "SSH-" || end === -1) return undefined;
    if (this.state === "silent") this.state = "greeted";
    return bytes.subarray(end + 1);
  }

  private finish(): void {
    this.read.done = true;
    this.read.bytes = Buffer.alloc(0);
  }
}

/** The packet's payload: message number, 16 random bytes, then ten lists of names. */
function readOffer(payload: Buffer): KeyExchangeOffer | undefined {
  if (payload[0] !== SSH_MSG_KEXINIT) return undefined;
  const lists: (readonly string[])[] = [];
  for (let at = 17; lists.length < 6; ) {
    if (at + 4 > payload.length) return undefined;
    const length = payload.readUInt32BE(at);
    lists.push(payload.toString("latin1", at + 4, at + 4 + length).split(","));
    at += 4 + length;
  }
  const [kex = [], hostKeys = [], ciphers = [], , macs = []] = lists;
  return { kex, hostKeys, ciphers, macs };
}
