const WHERE = [
  "{{.Id}}",
  "{{.State.Pid}}",
  "{{.HostConfig.NetworkMode}}",
  "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}",
].join(" ");

/** How many at once, so that one which hangs does not hold the others up. */
const AT_ONCE = 20;
/** A check that grants an answer more time gets this much. */
const LONGEST_PROBE_SECONDS = 60;
/** After so long nobody more is asked in this turn; who was not comes first in the next one. */
const ASKING_SECONDS = 50;
const GRACE_SECONDS = 10;

/** awk: what a check of our label says; its texts are ours, with sorted keys. */
const FIELDS_OF_CHECK = `
function number(key, otherwise) {
  return match($0, "\\"" key "\\":[0-9]+") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 : otherwise
}
function seconds(key, otherwise) { return int((number(key, otherwise) + 999) / 1000) }
`;

/**
 * The checks of our label, of which Docker knows nothing: http by curl or wget, tcp by the kernel's table of who listens. What
 * there is no way to ask, or was not asked in time, is left alone. `own` has their lines of the list, `streaks` ID FAILURES ASKED of the turns before; into
 * `young` go the ids of those that fail and may, for they have just been started.
 */
export const OWN_CHECKS = `
own_checks() {
  : >"$TMP/young"
  [ -s "$TMP/own" ] || { rm -f "$TMP/streaks"; return 0; }
  [ -f "$TMP/streaks" ] || : >"$TMP/streaks"
  # one that failed is asked at every turn: it has to be known whether that goes on
  awk -F '|' -v now="$NOW" -v to="$TMP/" '${FIELDS_OF_CHECK}
    FILENAME == to "streaks" { split($0, a, " "); failed[a[1]] = a[2]; asked[a[1]] = a[3]; next }
    failed[$1] > 0 || asked[$1] > now || now - asked[$1] >= seconds("intervalMs", 30000) { print asked[$1] + 0, $1 }
  ' "$TMP/streaks" "$TMP/own" | sort -n | cut -d ' ' -f 2 >"$TMP/due"
  : >"$TMP/answers"
  [ ! -s "$TMP/due" ] || ask_due
  : >"$TMP/streaks.new"
  awk -F '|' -v now="$NOW" -v to="$TMP/" '${FIELDS_OF_CHECK}
    FILENAME == to "streaks" { split($0, a, " "); failed[a[1]] = a[2]; asked[a[1]] = a[3]; next }
    FILENAME == to "answers" { split($0, a, " "); answer[a[1]] = a[2]; age[a[1]] = a[3]; next }
    {
      n = failed[$1] + 0; at = asked[$1] + 0
      if ($1 in answer) {
        grace = seconds("startPeriodMs", 0)
        if (grace < ${GRACE_SECONDS}) grace = ${GRACE_SECONDS}
        at = now
        if (answer[$1] == "good") n = 0
        else if (age[$1] >= grace) n++
        # asked at the next turn, too; what it failed before is of its former life
        else { n = 0; at = 0; print $1 >(to "young") }
      }
      print $1, n, at >(to "streaks.new")
      if (n > 0 && n >= number("retries", 3)) print $1 "|" $3 "|" $5 "|its check fails" >>(to "sick")
    }
  ' "$TMP/streaks" "$TMP/answers" "$TMP/own"
  mv -f "$TMP/streaks.new" "$TMP/streaks"
}

# what they answered comes into answers: ID good|bad AGE
ask_due() {
  : >"$TMP/pages"
  engine inspect --type container --format '${WHERE}' $(cat "$TMP/due") >"$TMP/where"
  # since a process began, in seconds: clock ticks are hundredths everywhere. A path that curl's file could read as something
  # else is not asked
  awk -F '|' -v to="$TMP/" '${FIELDS_OF_CHECK}
    function age_of(pid,  stat, up, a, n) {
      if ((getline stat <("/proc/" pid "/stat")) <= 0 || (getline up <"/proc/uptime") <= 0) return 0
      close("/proc/" pid "/stat"); close("/proc/uptime")
      sub(/^.*[)] /, "", stat)
      split(stat, a, " "); split(up, n, " ")
      return int(n[1] - a[20] / 100)
    }
    function hears(pid, port,  hex, table, line, a, file) {
      hex = sprintf("%04X", port)
      for (table = 1; table <= 2; table++) {
        file = "/proc/" pid "/net/" (table == 1 ? "tcp" : "tcp6")
        while ((getline line <file) > 0) {
          split(line, a, " ")
          if (a[4] == "0A" && substr(a[2], length(a[2]) - 4) == ":" hex) { close(file); return 1 }
        }
        close(file)
      }
      return 0
    }
    # where there is none an engine may say "invalid IP"
    function address_in(a, n,  i, six) {
      if (a[3] == "host") return "127.0.0.1"
      for (i = 4; i <= n; i++) {
        if (a[i] ~ /^[0-9]+[.][0-9.]+$/) return a[i]
        if (six == "" && a[i] ~ /^[0-9a-f]*:[0-9a-f:.]*$/) six = a[i]
      }
      return six
    }
    FILENAME == to "due" { turn[$1] = ++count; next }
    FILENAME == to "where" { n = split($0, a, " "); pid[a[1]] = a[2]; address[a[1]] = address_in(a, n); next }
    !($1 in pid) || pid[$1] == 0 { next }
    /"kind":"tcp"/ { print $1, hears(pid[$1], number("port", 0)) ? "good" : "bad", age_of(pid[$1]) >(to "answers"); next }
    address[$1] == "" { next }
    {
      path = match($0, /"path":"[^"]*"/) ? substr($0, RSTART + 8, RLENGTH - 9) : "/"
      # a text, not /.../: busybox would take the backslash before a slash for one of the characters
      if (path ~ "[^A-Za-z0-9/._~%?=&+,:@-]") next
      if (substr(path, 1, 1) != "/") path = "/" path
      limit = seconds("timeoutMs", 30000)
      if (limit > ${LONGEST_PROBE_SECONDS}) limit = ${LONGEST_PROBE_SECONDS}
      # none at all is what 0 would mean
      if (limit < 1) limit = 1
      host = index(address[$1], ":") ? "[" address[$1] "]" : address[$1]
      print turn[$1], $1, age_of(pid[$1]), number("status", 0), limit, "http://" host ":" number("port", 0) path >(to "pages")
    }
  ' "$TMP/due" "$TMP/where" "$TMP/own"
  sort -n "$TMP/pages" | cut -d ' ' -f 2- >"$TMP/http"
  [ ! -s "$TMP/http" ] || ask_http
}

ask_http() {
  : >"$TMP/said"
  way=
  if command -v curl >/dev/null; then
    case $(curl -q --help all 2>/dev/null) in *--parallel-max*) way=together ;; *) way=curl ;; esac
  elif command -v wget >/dev/null; then way=wget
  else return 0
  fi
  # who answered is not lost with those that were not asked in time: what goes to stderr is written at once, beside what curl shows
  # there of its progress
  if [ $way = together ]; then
    awk '{
      if (NR > 1) print "next"
      printf "url = \\"%s\\"\\noutput = \\"/dev/null\\"\\nsilent\\ngloboff\\nnoproxy = \\"*\\"\\nmax-time = %s\\nwrite-out = \\"%%{stderr}\\\\n%s %%{http_code}\\\\n\\"\\n", $5, $4, $1
    }' "$TMP/http" | timeout ${ASKING_SECONDS + LONGEST_PROBE_SECONDS} curl -q -s --parallel --parallel-max ${AT_ONCE} -K - >"$TMP/said" 2>&1
  else ask_each
  fi
  awk -v to="$TMP/" '
    FILENAME == to "said" { said[$1] = $2; next }
    !($1 in said) { next }
    { print $1, ($3 == 0 ? said[$1] >= 200 && said[$1] < 400 : said[$1] == $3) ? "good" : "bad", $2 >>(to "answers") }
  ' "$TMP/said" "$TMP/http"
}
# ask_one LIMIT URL: the status of its answer
ask_one() {
  if [ $way = curl ]; then curl -q -s -g -o /dev/null --noproxy '*' -m "$1" -w '%{http_code}' "$2" 2>/dev/null
  else timeout "$1" wget -q -S -O /dev/null -T "$1" "$2" 2>&1 | sed -n 's/^.*HTTP\\/[0-9.]* \\([0-9][0-9][0-9]\\).*/\\1/p' | sed -n 1p
  fi
}
ask_each() {
  read -r began _ </proc/uptime
  count=0
  while read -r id _ _ limit url; do
    read -r up _ </proc/uptime
    [ $((\${up%.*} - \${began%.*})) -lt ${ASKING_SECONDS} ] || break
    { status=$(ask_one "$limit" "$url"); echo "$id \${status:-000}" >>"$TMP/said"; } &
    count=$((count + 1))
    [ $((count % ${AT_ONCE})) != 0 ] || wait
  done <"$TMP/http"
  wait
}
`;
