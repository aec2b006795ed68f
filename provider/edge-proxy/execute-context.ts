import type { Log } from "../log";
import type { ProxyAccess } from "./observe";

/** What an execution needs from the run. */
export interface ExecuteContext extends ProxyAccess {
  readonly log: Log;
}
