import { isSlipwayError } from "../../errors";
import type { HandlerContext } from "../../handler";
import type { HostSession } from "../../host/session";
import { UPLOAD_FOLDER } from "./upload-folder";

/** Written before packages are changed and removed after: what is half done then is half done by us. */
export const CHANGE_MARK = "/var/lib/slipway/engine-change";

/** What a change of packages is marked with, and how its end is judged. */
export interface MarkContext extends Pick<HandlerContext, "holder" | "signal" | "log"> {
  readonly session: HostSession;
  /** Whether packages are half done now; asked after a failure. */
  readonly isHalfDone: () => Promise<boolean>;
}

/**
 * `$1` the mark, `$2` what a run that was killed may have left of uploaded packages. The mark's folder goes with it where nothing else
 * is in there.
 */
const UNMARK = `rm -rf -- "$2" && rm -f -- "$1" && { rmdir -- "\${1%/*}" 2>/dev/null || :; }`;

/**
 * Says on the machine that packages are being changed by us, for as long as `use` takes: what the next run finds half done is
 * ours to finish. After a failure the mark stays while something is half done, or nobody knows: the package manager may
 * still be at work.
 */
export async function withChangeMark(context: MarkContext, use: () => Promise<void>): Promise<void> {
  const { session, holder, signal } = context;
  const folder = CHANGE_MARK.slice(0, CHANGE_MARK.lastIndexOf("/"));
  // who looks without root's rights has to see it, whatever root's umask is
  await session.run(["mkdir", "-p", "-m", "0755", "--", folder], { sudo: true, signal });
  await session.writeFile(CHANGE_MARK, `${holder}\n`, { sudo: true });
  try {
    await use();
  } catch (error) {
    if (isSlipwayError(error, "engine-install-failed")) await unmarkWhole(context);
    throw error;
  }
  await unmarkChange(session, signal);
}

/** Takes the mark off, and what was sent for the change: nothing is half done. */
export async function unmarkChange(session: HostSession, signal: AbortSignal): Promise<void> {
  const argv = ["/bin/sh", "-c", UNMARK, "slipway-unmark", CHANGE_MARK, UPLOAD_FOLDER];
  await session.run(argv, { sudo: true, signal });
}

/** The failure is the one to tell: a mark that cannot be taken off now is found by the next run. */
async function unmarkWhole({ session, signal, log, isHalfDone }: MarkContext): Promise<void> {
  try {
    if (!(await isHalfDone())) await unmarkChange(session, signal);
  } catch (error) {
    log.debug(`the mark of a change stays on ${session.target}: ${String(error)}`);
  }
}
