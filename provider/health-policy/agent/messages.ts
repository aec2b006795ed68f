const LONGEST_SECONDS = 10;
/** How long a message that was refused is tried again, and how many of them are kept. */
const [KEPT_SECONDS, MOST_KEPT] = [3_600, 20] as const;

/**
 * The agent's messages to a webhook: POST, JSON with a `text`, as Slack and those that are like it take them. No repair waits for
 * one. `unsent`: SECONDS TEXT of those that were refused, which go out once more at the end of every turn.
 */
export const MESSAGES = `
# as words stand between quotes in JSON: the names of machines and of services can have anything in them
json() { printf '%s' "$*" | tr -d '\\000-\\037\\177' | sed 's/[\\\\"]/\\\\&/g'; }

# send TEXT: 0 it was taken, 1 it was not, 2 nobody knows, so that once more could be twice. The address is a secret: it goes in
# by standard input, and stands in no list of processes but where busybox's wget is all there is. A redirect is no answer:
# what follows it would be a GET
send() {
  read -r url <notify
  set -- "{\\"text\\":\\"$(json "$1")\\"}" 'Content-Type: application/json'
  if command -v curl >/dev/null; then
    said=$(printf 'url = "%s"\\n' "$url" | curl -q -s -g -o /dev/null -m ${LONGEST_SECONDS} -w '%{http_code} %{size_request}' -H "$2" -d "$1" -K -)
    case $said in 2??' '*) return 0 ;; '000 '[1-9]*) return 2 ;; *) return 1 ;; esac
  fi
  if wget --version >/dev/null 2>&1; then
    printf '%s\\n' "$url" | timeout ${LONGEST_SECONDS} wget --no-config -q -O /dev/null -t 1 --max-redirect=0 --header "$2" --post-data "$1" -i - 2>/dev/null
    case $? in 0) return 0 ;; 8) return 1 ;; *) return 2 ;; esac
  fi
  timeout ${LONGEST_SECONDS} wget -q -O /dev/null --header "$2" --post-data "$1" "$url" 2>/dev/null || return 2
}
tell() {
  send "$1"
  case $? in
    1) printf '%s %s\\n' "$NOW" "$1" >>unsent; echo 'a message was refused; it is sent once more at every turn, for an hour' ;;
    2) echo 'nobody knows whether a message has come' ;;
  esac
}
notify() {
  [ -s notify ] || return 0
  # a restart has a shell of its own, which may wait; the turn waits for all of them at its end
  read -r self _ </proc/self/stat
  if [ "$self" = $$ ]; then tell "$1" & else tell "$1"; fi
}
# one that fails ends it for this turn
deliver() {
  [ -s notify ] && [ -s unsent ] || return 0
  way=open
  while read -r when text; do
    [ "$when" -gt $((NOW - ${KEPT_SECONDS})) ] && [ "$when" -lt $((NOW + ${KEPT_SECONDS})) ] || continue
    if [ "$way" = open ]; then
      send "$text"
      case $? in 0) continue ;; 1) way=shut ;; 2) way=shut; continue ;; esac
    fi
    printf '%s %s\\n' "$when" "$text"
  done <unsent | tail -n ${MOST_KEPT} | rewrite unsent
}
`;
