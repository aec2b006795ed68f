import type { HandlerContext } from "../../handler";
import type { MarkContext } from "../packages/change-mark";
import type { InitSystem } from "../init/init-system";
import type { PackageFamily } from "../packages/package-family";

/** What running a plan needs. */
export interface ExecuteContext extends MarkContext, Pick<HandlerContext, "clock"> {
  readonly family: PackageFamily;
  readonly init: InitSystem;
}
