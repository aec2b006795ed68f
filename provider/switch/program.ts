import { BASE } from "./program/base";
import { GATE } from "./program/gate";
import { RULES, RULES_BY_COMMENT } from "./program/rules";
import { STEPS } from "./program/steps";

const MAIN = `
read_order || exit 0
[ -z "$LOCK" ] || { exec 9>>"$LOCK" && flock -w 10 9; }
find_http
{ read -r BEGAN <"$DIR/began"; } 2>/dev/null || { now; BEGAN=$NOW; printf '%s\\n' "$NOW" >"$DIR/began"; }
trap 'ASKED=1' HUP INT TERM
# whoever starts us again may not see that one lives: it waits, and comes when that one has ended
{ read -r OTHER OTHER_START <"$DIR/pid"; } 2>/dev/null && alive "$OTHER" && [ "$START" = "$OTHER_START" ] && exit 75
alive $$
printf '%s %s\\n' $$ "$START" >"$DIR/pid"
before=; { read -r before <"$DIR/phase"; } 2>/dev/null
now; END=$((NOW + DEADLINE))
case $before in ended) exit 0 ;; clearing) known_to_hold; serves_alone ;; esac
[ -z "$before" ] || recover
at begun "$WAY"
[ "$HTTP" != none ] || case $OLD_CHECK$NEXT_CHECK in *http*) say note no curl and no wget here: a port that is listened on passes ;; esac
case $WAY in bridged) bridged ;; *) plain ;; esac
`;

/**
 * The program that exchanges one container for another on the host, alone: who started it may be gone. It is started as
 * `sh program FOLDER`, and again the same way when it died: then it looks at what stands, and finishes or takes back.
 *
 * It writes `<ms> <name> <text>` lines to `events`, among them one `<ms> end switched|kept|plain-instead|stuck <gapMs> <why>`:
 * from then on it is known who serves. After a bridged `switched` it stays until its copy has answered what it took, and is
 * gone; its phase is `clearing` then. Its exit code is 0 when it came to an end in order.
 */
export const SWITCH_PROGRAM = [BASE, RULES_BY_COMMENT, RULES, GATE, STEPS, MAIN].join("");
