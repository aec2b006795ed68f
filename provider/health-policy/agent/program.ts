import { createHash } from "node:crypto";
import { REMOTE_PATH } from "../../host/command/command";
import { ASIDE } from "../../proxy/aside-script";
import { GROUND, RUN_FOLDER } from "./ground";
import { INSTALL_AGENT } from "./install-script";
import { OWN_CHECKS } from "./own-checks";
import { REPAIRS } from "./repairs";
import { SIGHT } from "./sight";

const TICK = `
tick() {
  settings
  HELD=
  held && HELD=1
  # whom it took aside, and who is well, serves while an up goes on, too: that counts on those that serve
  [ -z "$HELD" ] || some_aside || return 0
  NOW=$(date +%s)
  # an engine that does not answer says nothing about its containers
  survey || return 0
  STARTING=
  own_checks
  [ -z "$HELD" ] || { come_back; return 0; }
  forget
  come_back
  repair
  forgive
  deliver
  prune
  trim
}
`;

const BODY = `LC_ALL=C PATH=${REMOTE_PATH}; export LC_ALL PATH
umask 077
DIR=$1
cd -- "$DIR" && [ -f policy ] || exit 1
TMP=${RUN_FOLDER}/health.\${DIR##*/}
read -r HOST </proc/sys/kernel/hostname
mkdir -p "$TMP" || exit 1
${GROUND}${SIGHT}${OWN_CHECKS}${ASIDE}${REPAIRS}${TICK}
# it is about to be taken away, by one that has the lock
if [ "$2" = back ]; then come_back all; exit 0; fi
exec 9>>"$TMP/lock" || exit 1
# the turn before, or an up that begins or ends
flock -n 9 || exit 0
tick
exit 0
`;

/** Changes with every change of the program and of what starts it, so that an up sees that a host has another one. */
export const AGENT_VERSION = createHash("sha256")
  .update(BODY)
  .update(INSTALL_AGENT)
  .digest("hex")
  .slice(0, 12);

/**
 * One turn of the agent: who is not well is restarted by the policy's rules. `$1` its folder, which has `policy`, and what it
 * keeps: `ledger` (ID SECONDS), `gave-up` (ID SECONDS), `log` (JSON lines). `$2` `back`: who was taken aside is behind its routes
 * again, and nothing else is done.
 */
export const AGENT_PROGRAM = `#!/bin/sh
# Slipway's health agent, ${AGENT_VERSION}
${BODY}`;
