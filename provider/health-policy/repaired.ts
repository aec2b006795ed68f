import type { ObservedContainer } from "../container/observed";
import type { HandlerContext } from "../handler";
import type { HostSession } from "../host/session";
import type { Budget, Restart } from "./budget";
import type { ContainerHealth, PolicyHealth } from "./observed";
import type { Reach } from "./reach";

/** What became of one operation. */
export interface Repaired {
  readonly subject: ContainerHealth;
  /** As it was last seen; undefined when it is gone. */
  readonly container: ObservedContainer | undefined;
  readonly health: PolicyHealth;
  /** When it was restarted in this run: milliseconds of the calendar. */
  readonly restartedAt: readonly number[];
  /** Why it stays unhealthy; empty when it does not. */
  readonly reason: string;
  /** What it said for itself at last, clean to show. */
  readonly output: string;
  /** It was left alone for another's sake: a deployment, or somebody's hand. */
  readonly excused: boolean;
  /** Its restarts are used up. */
  readonly gaveUp: boolean;
}

/** What an execution needs from the run. */
export interface ExecuteContext extends Pick<HandlerContext, "clock" | "log" | "signal"> {
  readonly reach: Reach;
  readonly budget: Budget;
  /** Told of each restart right before it is made: it counts, however the run ends. */
  readonly noteRestart: (restart: Restart, session: HostSession) => Promise<void>;
}
