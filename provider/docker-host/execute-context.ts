import type { HandlerContext } from "../handler";
import type { HostSession } from "../host/session";
import type { InitSystem } from "./init/init-system";
import type { PackageFamily } from "./packages/package-family";

/** What running a plan needs. */
export interface ExecuteContext extends Pick<HandlerContext, "log" | "clock" | "signal"> {
  readonly session: HostSession;
  readonly family: PackageFamily;
  readonly init: InitSystem;
}
