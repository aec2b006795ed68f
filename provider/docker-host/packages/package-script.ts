import type { HostSession } from "../../host/session";
import { DOCKER_UNITS } from "../init/systemd";
import { INSTALL_MS, refusePackageFailure } from "./package-failure";
import type { RunOptions } from "./package-family";
import { STEADY_RUN } from "./steady-run";

/** Runs what changes packages, as root, to a good end. */
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
}

/** `patience` is how the package manager waits for others, for messages. @default how ours wait for a lock */
export function packageScripts(patience?: string): PackageScripts {
  const script: PackageScripts["script"] = async (session, what, text, args, run) => {
    const outcome = await session.script(text, args, { sudo: true, timeoutMs: INSTALL_MS, ...run });
    refusePackageFailure(session, what, outcome, patience);
  };
  const steady =
    (services: string): PackageScripts["command"] =>
    (session, what, argv, run) =>
      script(session, what, STEADY_RUN, [services, ...argv], run);
  return { script, command: steady(""), change: steady(DOCKER_UNITS) };
}
