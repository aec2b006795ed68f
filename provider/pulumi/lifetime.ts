import { SlipwayError } from "../errors";

/** What the provider process is to us; the real one is Node's `process`. */
export interface HostProcess {
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): void;
}

/** The life of a provider process, which serves many calls at the same time. */
export interface Lifetime {
  /** Aborted when the run is being torn down. */
  readonly signal: AbortSignal;
  /** Runs one call; a process that has been told to stop ends when its last call has. */
  during<T>(call: () => Promise<T>): Promise<T>;
}

/**
 * Pulumi starts the provider in a process group of its own, so Ctrl-C in a terminal does not reach it. Measured: at the
 * first Ctrl-C the engine starts no further steps and waits for those that run (no half-done swap); SIGINT comes at the
 * end of every operation, when nothing runs any more, and at the second Ctrl-C, five seconds before SIGKILL. So SIGINT
 * between calls means "done", and during a call "tear down now": the call is aborted and uses what time is left to tidy up.
 */
export function lifetimeOf(host: HostProcess): Lifetime {
  const controller = new AbortController();
  let running = 0;
  const endWhenIdle = (): void => {
    if (controller.signal.aborted && running === 0) host.exit(0);
  };
  const stop = (): void => {
    controller.abort(
      new SlipwayError({
        code: "cancelled",
        what: "changing this resource",
        why: "the run was stopped",
        next: "Run pulumi up again: it looks at the host and goes on from there",
      }),
    );
    endWhenIdle();
  };
  host.on("SIGINT", stop);
  host.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    async during(call) {
      running += 1;
      try {
        return await call();
      } finally {
        running -= 1;
        // not before the answer has been handed to Pulumi's own server
        setImmediate(endWhenIdle);
      }
    },
  };
}
