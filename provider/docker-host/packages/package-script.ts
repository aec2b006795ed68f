import type { CommandOutcome, HostSession } from "../../host/session";
import { DOCKER_UNITS } from "../init/systemd";
import { LOCK_WAIT, runFailure, toldLine } from "./lock-wait";
import { INSTALL_MS, LOCK_WAIT_S } from "./package-failure";
import type { RunOptions } from "./package-family";
import { STEADY_RUN } from "./steady-run";

/** Runs what uses the package manager, as root, once nobody else holds its locks; it is said for whom that waits. */
export interface PackageScripts {
  /** A script of ours with its arguments. @throws SlipwayError engine-install-failed, connection-lost */
  readonly script: (
    session: HostSession,
    what: string,
    text: string,
    args: readonly string[],
    run: RunOptions,
  ) => Promise<void>;
  /** One command, which goes on when our connection is lost. @throws SlipwayError as `script` */
  readonly command: (
    session: HostSession,
    what: string,
    argv: readonly string[],
    run: RunOptions,
  ) => Promise<void>;
  /** The same of one that changes packages: Docker's services are left alone meanwhile. @throws SlipwayError as `script` */
  readonly change: PackageScripts["command"];
  /** One command, whose end the caller judges. `timeoutMs` has room for the locks, too. */
  readonly attempt: (
    session: HostSession,
    argv: readonly string[],
    timeoutMs: number,
    run: RunOptions,
  ) => Promise<CommandOutcome>;
}

/** `locks` are the files of a package manager's locks: LOCK_WAIT says of which kinds. */
export function packageScripts(locks: readonly string[]): PackageScripts {
  const wait = `left=${LOCK_WAIT_S} locks="${locks.join(" ")}"\n${LOCK_WAIT}\nwait_for_locks\n`;
  const start = (
    session: HostSession,
    text: string,
    args: readonly string[],
    timeoutMs: number,
    { onLine, signal }: RunOptions,
  ): Promise<CommandOutcome> => {
    const told = (line: string): void => onLine?.(toldLine(line));
    return session.script(`${wait}${text}`, args, { sudo: true, timeoutMs, signal, onLine: told });
  };
  const script: PackageScripts["script"] = async (session, what, text, args, run) => {
    const outcome = await start(session, text, args, INSTALL_MS, run);
    if (outcome.kind !== "exited" || outcome.code !== 0) throw runFailure(session, what, outcome);
  };
  const steady =
    (services: string): PackageScripts["command"] =>
    (session, what, argv, run) =>
      script(session, what, STEADY_RUN, [services, ...argv], run);
  return {
    script,
    command: steady(""),
    change: steady(DOCKER_UNITS),
    attempt: (session, argv, timeoutMs, run) => start(session, 'exec "$@"', argv, timeoutMs, run),
  };
}
