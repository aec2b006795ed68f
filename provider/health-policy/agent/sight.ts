import { LABEL } from "../../container/labels";

const FIELDS = [
  "{{.ID}}",
  "{{.State}}",
  "{{.Names}}",
  `{{.Label "${LABEL.slot}"}}`,
  `{{.Label "${LABEL.service}"}}`,
  `{{.Label "${LABEL.healthcheck}"}}`,
].join("|");

const DOWN = [
  "{{.Id}}",
  "{{.State.Status}}",
  "{{.State.ExitCode}}",
  "{{.RestartCount}}",
  "{{.HostConfig.RestartPolicy.Name}}",
].join(" ");

/** awk: a line whose label has a check over http or tcp. A command is Docker's to run. */
const HAS_OWN_CHECK = String.raw`/"test":[{]"kind":"(http","path":".*|tcp)","port":[1-9]/`;

/**
 * Who is there, and who is not well: the same rules as an up's (examine, observe). Lists go through awk as a whole, for the shell
 * would take a moment for each line. `all`: SERVICE|ID|NAME of whom the policy is for; `sick`: ID|NAME|SERVICE|WHY.
 */
export const SIGHT = `
engine() { timeout 60 docker "$@" 2>/dev/null; }
listed() { if [ -n "$LABEL" ]; then engine ps --no-trunc --filter "label=$LABEL" "$@"; else engine ps --no-trunc "$@"; fi; }

survey() {
  listed --all --format '${FIELDS}' >"$TMP/list" || return 1
  listed --quiet --filter status=running --filter health=unhealthy >"$TMP/ill" || return 1
  : >"$TMP/sick"; : >"$TMP/all"; : >"$TMP/own"; : >"$TMP/fallen"; : >"$TMP/down"
  # kept revisions, candidates, copies and locks are a deployment's, not the policy's; others' stopped containers may be
  # stopped on purpose
  awk -F '|' -v OFS='|' -v services="$SERVICES " -v to="$TMP/" '
    FILENAME == to "ill" { ill[$1] = 1; next }
    # one that others are linked to has their names for it, too
    $3 ~ /,/ { n = split($3, names, ","); for (i = 1; i <= n; i++) if (!index(names[i], "/")) { $3 = names[i]; break } }
    $1 !~ /^[0-9a-f]+$/ || $3 ~ /^slipway[.]lock[.]/ { next }
    services != " " && ($5 == "" || !index(services, " " $5 " ")) { next }
    $5 != "" && $3 != ($4 == "" || $4 == "1" ? $5 : $5 "-" $4) { next }
    { print $5 "|" $1 "|" $3 >(to "all") }
    # the check of our label is the one that counts; what Docker says is then of an image
    $2 == "running" && ${HAS_OWN_CHECK} { print >(to "own"); next }
    $2 == "running" && ill[$1] { print $1 "|" $3 "|" $5 "|its HEALTHCHECK fails" >(to "sick"); next }
    $2 == "restarting" || (($2 == "exited" || $2 == "dead") && $5 != "") { print $1 >(to "fallen") }
  ' "$TMP/ill" "$TMP/list"
  [ ! -s "$TMP/fallen" ] || fallen
}

fallen() {
  engine inspect --type container --format '${DOWN}' $(cat "$TMP/fallen") >"$TMP/down"
  awk -v to="$TMP/" '
    FILENAME == to "all" { split($0, a, "|"); service[a[2]] = a[1]; name[a[2]] = a[3]; next }
    function sick(why) { print $1 "|" name[$1] "|" service[$1] "|" why >>(to "sick") }
    $2 == "restarting" && $4 > 1 { sick("it is crash-looping: it ended with code " $3 " and was restarted " $4 " times") }
    ($2 == "exited" || $2 == "dead") && ($5 == "always" || $5 == "unless-stopped" || ($5 == "on-failure" && $3 != 0)) {
      sick("it exited with code " $3)
    }
  ' "$TMP/all" "$TMP/down"
}
`;
