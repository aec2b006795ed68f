import type { HandlerContext } from "../../handler";
import type { Redact } from "../../secret";
import type { Advertisement } from "./advertisement";
import type { GitAuth } from "./git-auth";
import type { PacketReader } from "./pkt-line";

/** One talk with a repository's server: it tells its refs, and may be asked for objects once. */
export interface GitTalk {
  readonly advertisement: Advertisement;
  /** Sends wants, and gives the answer as it comes. */
  ask(request: Buffer): Promise<PacketReader>;
}

/** What a talk with any server needs from outside. */
export interface Server {
  readonly context: Pick<HandlerContext, "log" | "clock" | "random">;
  readonly signal: AbortSignal;
  /** Cleans a server's words of the context's credential. */
  readonly redact: Redact;
}

/** The same for one server. */
export interface GitAccess extends Server {
  /** For this very one. */
  readonly auth: GitAuth | undefined;
}
