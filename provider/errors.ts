/** Every code that a Slipway error can carry; docs/errors.md has a line for each. */
export type ErrorCode =
  | "invalid-input"
  | "internal"
  | "cancelled"
  | "dial-failed"
  | "handshake-failed"
  | "forwarding-refused"
  | "connection-lost"
  | "authentication-failed"
  | "host-key-unknown"
  | "host-key-mismatch"
  | "host-key-revoked"
  | "machine-twice"
  | "command-failed"
  | "command-timeout"
  | "sudo-unavailable"
  | "host-unsupported"
  | "engine-unreachable"
  | "engine-foreign"
  | "engine-locked"
  | "engine-masked"
  | "engine-consent"
  | "engine-store-changes"
  | "engine-version-unavailable"
  | "engine-install-failed"
  | "engine-version-wrong"
  | "daemon-config-invalid"
  | "context-missing"
  | "git-unreachable"
  | "git-refused"
  | "context-changed"
  | "dockerfile-missing"
  | "image-build-failed"
  | "image-missing"
  | "image-push-failed"
  | "service-locked"
  | "name-taken"
  | "port-taken"
  | "switch-impossible"
  | "rollout-failed"
  | "task-failed"
  | "rollback-failed"
  | "unhealthy"
  | "proxy-busy"
  | "proxy-config-invalid"
  | "proxy-failed"
  | "proxy-missing"
  | "route-taken";

/** The parts of an error; `message` is composed of them, see {@link SlipwayError}. */
export interface ErrorParts {
  readonly code: ErrorCode;
  /** What failed, as the start of a sentence: `swapping "web"`. */
  readonly what: string;
  /** The target (`user@address:port`) it failed on. */
  readonly host?: string | undefined;
  /** Why, in words of ours or of the host's (already cleaned of control sequences and secrets). */
  readonly why: string;
  /** After how long, and against which limit: `after 2m, healthyDeadline 2m`. */
  readonly after?: string | undefined;
  /** What is serving now and what was left behind. */
  readonly left?: string | undefined;
  /** What the reader should do next. */
  readonly next?: string | undefined;
  /** Longer evidence (log tails), shown below the sentence. */
  readonly evidence?: string | undefined;
  readonly cause?: unknown;
}

/** The one error class: `<what> on <host>: <why> (<after>). <left>. <next>.`, then the evidence. */
export class SlipwayError extends Error {
  readonly code: ErrorCode;
  readonly host: string | undefined;
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts) {
    super(formatError(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "SlipwayError";
    this.code = parts.code;
    this.host = parts.host;
    this.parts = parts;
  }
}

/** True when `error` is ours and, where codes are given, carries one of them. */
export function isSlipwayError(error: unknown, ...codes: readonly ErrorCode[]): error is SlipwayError {
  return error instanceof SlipwayError && (codes.length === 0 || codes.includes(error.code));
}

/** The same error, which says one thing more that can be done. */
export function withAdvice({ parts }: SlipwayError, advice: string): SlipwayError {
  const { next = "" } = parts;
  return new SlipwayError({ ...parts, next: `${next.replace(/\.?$/, ". ")}${advice}`.trimStart() });
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The sentence of an error, see {@link SlipwayError}. */
export function formatError(parts: ErrorParts): string {
  const place = parts.host === undefined ? "" : ` on ${parts.host}`;
  const after = parts.after === undefined ? "" : ` (${parts.after})`;
  const sentences = [`${parts.what}${place}: ${parts.why}${after}`, parts.left, parts.next];
  const text = sentences.filter((sentence) => sentence !== undefined && sentence !== "").map(withStop);
  return parts.evidence ? `${text.join(" ")}\n${parts.evidence}` : text.join(" ");
}

function withStop(sentence: string | undefined): string {
  const text = (sentence ?? "").trimEnd();
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}
