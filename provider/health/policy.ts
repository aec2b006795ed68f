/** One way to ask a container whether it is well. */
export type HealthTest =
  /** GET on the container's own port; good is `status`, or 200 to 399 when none is given. */
  | { readonly kind: "http"; readonly port: number; readonly path: string; readonly status?: number }
  /** The port accepts a connection. */
  | { readonly kind: "tcp"; readonly port: number }
  /** Runs inside the container; exit code 0 is good. */
  | { readonly kind: "command"; readonly argv: readonly string[] };

/** A healthcheck with Docker's timing words, in milliseconds. */
export interface Healthcheck {
  readonly test: HealthTest;
  /** @default 30_000 */
  readonly intervalMs: number;
  /** @default 30_000 */
  readonly timeoutMs: number;
  /** @default 3 */
  readonly retries: number;
  /** @default 0 */
  readonly startPeriodMs: number;
}

export const HEALTHCHECK_DEFAULTS = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
} as const;

/** What one probe found. `cannot`: there was no way to ask (no curl, no forwarding), which is not a verdict on the container. */
export type ProbeResult =
  | { readonly verdict: "pass"; readonly durationMs: number }
  /** `hung`: no answer within the timeout. `output` is as the container gave it (capped, not cleaned). */
  | {
      readonly verdict: "fail";
      readonly durationMs: number;
      readonly output: string;
      readonly hung?: boolean;
    }
  | { readonly verdict: "cannot"; readonly reason: string };
