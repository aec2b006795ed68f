import type { Duplex, Readable } from "node:stream";
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
  /** Ends the channel and throws `command-timeout`. @default 60_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
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
