import type { HandlerContext } from "../handler";
import type { HostSession } from "../host/session";
import { CHANGE_MARK } from "./look-script";

type MarkContext = Pick<HandlerContext, "holder" | "signal">;

/** Says on the machine that packages are being changed by us: what the next run finds half done is ours to finish. */
export async function markChange(session: HostSession, { holder, signal }: MarkContext): Promise<void> {
  const folder = CHANGE_MARK.slice(0, CHANGE_MARK.lastIndexOf("/"));
  await session.run(["mkdir", "-p", "--", folder], { sudo: true, signal });
  await session.writeFile(CHANGE_MARK, `${holder}\n`, { sudo: true });
}

/** The packages are as they should be. */
export async function unmarkChange(session: HostSession, { signal }: MarkContext): Promise<void> {
  await session.run(["rm", "-f", "--", CHANGE_MARK], { sudo: true, signal });
}
