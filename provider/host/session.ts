import type { Duplex, Readable, Writable } from "node:stream";
import type Docker from "dockerode";
import type { Redact } from "../secret";
import type { HostFacts } from "./facts";

/**
 * How a remote command ended. `exited` comes from the server's exit status and nothing else; a line that dropped before
 * it is `lost`: the outcome is unknown, and the caller has to look at the host again.
 */
export type CommandOutcome =
  | { readonly kind: "exited"; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "killed"; readonly signal: string; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "lost"; readonly stdout: string; readonly stderr: string };

export interface CommandOptions {
  /** Under sudo when the user is not root. */
  readonly sudo?: boolean;
  /** Written to standard input, which is then closed. May hold secrets. */
  readonly stdin?: string | Buffer | Readable;
  /** The command's environment, besides `LC_ALL=C` and a full PATH. Not for secrets: it is in the command line. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each whole line as it arrives, cleaned of control sequences and secrets. */
  readonly onLine?: (line: string) => void;
  /** Gets standard output byte by byte, at its own pace, and is not ended; the outcome and `onLine` have nothing of it then. */
  readonly stdout?: Writable;
  /** Ends the channel and throws `command-timeout`. @default 60_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How a script is run that is made ready before its text is known; `timeoutMs` is the text's own time. */
export interface ReadyOptions extends Pick<CommandOptions, "sudo" | "timeoutMs" | "signal"> {
  /** So long it waits for its text; one that comes later finds it started anew. @default 60_000 */
  readonly readyMs?: number;
}

/** What waits on the machine for a text of ours. */
export interface ReadyScript {
  /** Runs the text, once: a round trip, as a rule. Started anew where it was given up meanwhile. As `exec`. */
  run(text: string, onLine?: (line: string) => void): Promise<CommandOutcome>;
  /** Ends it without a text; after `run` this does nothing. */
  drop(): void;
}

/** One machine, as the code sees it. Given by `withHost`; not to be kept after its function returned. */
export interface HostSession {
  /** `user@address:port`. */
  readonly target: string;
  /** SHA256 fingerprint of the key that the machine presented. */
  readonly hostKey: string;
  /** Cleans a text of this connection's secrets. */
  readonly redact: Redact;
  /** Runs one command; throws only when it could not be started, timed out or was aborted. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
  /**
   * Runs one command and gives its standard output.
   * @throws SlipwayError `command-failed` (exit code not 0, killed) or `connection-lost` (outcome unknown)
   */
  run(argv: readonly string[], options?: CommandOptions): Promise<string>;
  /** As `exec`, for a POSIX sh text of ours that goes in by standard input; `args` are its `$1`, `$2`, … */
  script(
    text: string,
    args?: readonly string[],
    options?: Omit<CommandOptions, "stdin">,
  ): Promise<CommandOutcome>;
  /**
   * Starts what will run a POSIX sh text of ours, which a command otherwise waits two round trips for; `args` as in `script`, and
   * the text is in no log. It holds a session channel, and gives it up when others wait for one.
   */
  ready(args: readonly string[], options?: ReadyOptions): ReadyScript;
  /** Facts, read once a connection in one round trip; `fresh` reads them again, for all who share it. */
  facts(options?: { readonly fresh?: boolean; readonly signal?: AbortSignal }): Promise<HostFacts>;
  /**
   * The Docker Engine API over this connection (streamlocal, else dial-stdio, else the same under sudo).
   * @throws SlipwayError `engine-unreachable`, with the ways that were tried
   */
  docker(signal?: AbortSignal): Promise<Docker>;
  /** A stream to an address as the host sees it, for probes. */
  forward(address: string, port: number, signal?: AbortSignal): Promise<Duplex>;
  /** Writes a whole file (temporary name in its folder, then rename); parents must be there. Owner root under sudo. */
  writeFile(
    path: string,
    content: string | Buffer,
    options?: { readonly mode?: number; readonly sudo?: boolean },
  ): Promise<void>;
}
