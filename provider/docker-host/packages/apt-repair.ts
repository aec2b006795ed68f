import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { type AptRun, mustRunApt, runApt } from "./apt-run";
import { APT_OPTIONS, DEB_NAMES, parseRemovals } from "./apt-text";
import { LOCK_TAKEN, runFailure } from "./lock-wait";
import { INSTALL_MS, packageFailure } from "./package-failure";
import type { RunOptions } from "./package-family";

const CONFIGURE = ["dpkg", "--configure", "-a", "--force-confold"];
const CONFIGURING = "finishing an interrupted installation";
const FIXING = "repairing dependencies";

/** What brings in what is missing; `options` say how. */
const fixBroken = (...options: readonly string[]): readonly string[] => [
  ...["apt-get", ...APT_OPTIONS, ...options, "--fix-broken", "install"],
];

/**
 * Finishes what dpkg was cut off in, and brings in what that needs. A package that came by itself (`dpkg -i`) cannot be configured
 * before what it needs is there, so only the last word of dpkg counts.
 * @throws SlipwayError engine-install-failed, connection-lost
 */
export async function repairApt(session: HostSession, run: RunOptions): Promise<void> {
  const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: true };
  const first = await runApt(session, CONFIGURE, change);
  if (first.kind !== "exited" || first.code === LOCK_TAKEN) throw runFailure(session, CONFIGURING, first);
  const mayRemove = await takesParts(session, { ...change, changesPackages: false });
  await mustRunApt(session, FIXING, fixBroken(...(mayRemove ? [] : ["--no-remove"])), change);
  if (first.code !== 0) await mustRunApt(session, CONFIGURING, CONFIGURE, change);
}

/** Whether parts of an engine go in the repair. apt takes out what nobody offers the needs of: that of others is theirs to remove. */
async function takesParts(session: HostSession, run: AptRun): Promise<boolean> {
  const trial = await runApt(session, fixBroken("-s"), run);
  if (trial.kind !== "exited" || trial.code === LOCK_TAKEN) throw runFailure(session, FIXING, trial);
  const going = parseRemovals(trial.stdout);
  const others = going.filter((name) => !DEB_NAMES.includes(name));
  if (others.length === 0) return going.length > 0;
  throw new SlipwayError({
    ...packageFailure(session, FIXING, trial).parts,
    why: `what ${others.join(", ")} needs is not there, and apt would remove ${others.length === 1 ? "it" : "them"}`,
    after: undefined,
    left: "Nothing was removed",
    next: "Install what is missing, or remove them by hand, then run pulumi up again",
  });
}
