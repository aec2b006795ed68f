import type { InitSystem } from "../init/init-system";
import { LOOK_FOR_RULES } from "../daemon/restart-rules";
import { CHANGE_MARK } from "../packages/change-mark";
import type { FamilyLook } from "../packages/package-family";
import { FACT_FIELDS } from "../../host/machine/facts-script";

/** Where every rootful engine listens. */
const SOCKET = "/var/run/docker.sock";
/** A daemon answers these questions from its memory; one that takes longer is stuck. Seconds. */
export const ANSWER_S = 30;
/** The root directory of the docker snap. */
export const SNAP_STORE = "/var/snap/docker/common/var-lib-docker";

/**
 * Everything about a machine and its Docker in one command, as whoever we are: facts first, then one `key value` a line,
 * contents in base64. What is closed to us is said (`closed PATH`), to be looked at again with root's rights. `$1` the
 * address of the wished package repository (or empty), then the users. A package family's text finds the address as `$url`
 * and says `package NAME VERSION STATUS`, `held NAME` (`held NAME VERSION` where a hold is one of a version), `interrupted yes`,
 * `busy yes` (the package manager is at work), `missing TOOL`, `source BASE64`, `key BASE64`,
 * `other FILE` (another source file that names the address) and `unpackaged PATH` (a dockerd, `$dockerd`, of no package). An
 * init system's text says `active yes`, `enabled yes` and `masked SERVICE`.
 */
export function lookScript(families: readonly FamilyLook[], inits: readonly InitSystem[]): string {
  const cases = families.map(({ distributions, look }) => {
    const pattern = distributions.map((id) => `*" ${id} "*`).join("|");
    return `${pattern})\n${look}\n;;`;
  });
  const services = inits.map(({ processOne, look }) => `${processOne})\n${look}\n;;`);
  return `url=$1; shift
${FACT_FIELDS}
field look
dockerd=$(command -v dockerd)
case $dockerd in /snap/*) dockerd= ;; esac
release=/etc/os-release
[ -r "$release" ] || release=/usr/lib/os-release
os=$( [ ! -r "$release" ] || . "$release"; echo " $ID $ID_LIKE " )
case $os in
${cases.join("\n")}
esac
${SETTINGS}
${LOOK_FOR_RULES}
active=
isActive() { active=yes; echo "active yes"; }
if [ -d /run/openrc ]; then init=openrc; else read -r init </proc/1/comm; fi
case $init in
${services.join("\n")}
esac
${ENGINE}
echo "end yes"
`;
}

const SETTINGS = `
config=/etc/docker/daemon.json
if [ -r "$config" ]; then echo "config $(base64 <"$config" | tr -d '\\n')"
elif [ -e "$config" ]; then echo "closed $config"
elif [ -d "\${config%/*}" ] && [ ! -x "\${config%/*}" ]; then echo "closed \${config%/*}"; fi
[ ! -e ${CHANGE_MARK} ] || echo "ours yes"
for user; do
  if ! id -- "$user" >/dev/null 2>&1; then echo "user $user missing"
  elif id -nG -- "$user" | tr ' ' '\\n' | grep -qx docker; then echo "user $user member"
  else echo "user $user not"; fi
done
while read -r name kb unit; do [ "$name" != MemTotal: ] || echo "memory $kb"; done </proc/meminfo
`;

/** Asking a stopped daemon would start it: its socket belongs to systemd. */
const ENGINE = `
if command -v snap >/dev/null && snap list docker >/dev/null 2>&1; then
  snapped=${SNAP_STORE}
  if [ ! -d "$snapped" ]; then echo "snap none"
  elif [ -d /var/lib/docker ] && [ ! -r /var/lib/docker ]; then echo "snap taken"; echo "closed /var/lib/docker"
  elif [ -n "$(ls -A /var/lib/docker 2>/dev/null)" ]; then echo "snap taken"
  elif [ "$(stat -c %d "\${snapped%/*}")" != "$(stat -c %d /var/lib)" ]; then echo "snap apart"
  else echo "snap movable"; fi
  if systemctl is-active --quiet snap.docker.dockerd.service 2>/dev/null; then isActive; fi
fi
for process in /proc/[0-9]*; do
  { read -r name <"$process/comm"; } 2>/dev/null && [ "$name" = rootlesskit ] || continue
  grep -qa dockerd "$process/cmdline" 2>/dev/null && echo "rootless $(stat -c %U "$process")"
done
limited=
if command -v timeout >/dev/null; then limited="timeout ${ANSWER_S}"; fi
going='http://docker/containers/json?filters=%7B%22status%22%3A%5B%22running%22%2C%22paused%22%2C%22restarting%22%5D%7D'
list() {
  state=$1; shift
  $limited docker -H unix://${SOCKET} ps --no-trunc "$@" \\
    --format "{\\"Id\\":\\"{{.ID}}\\",\\"Status\\":\\"{{.Status}}\\",\\"State\\":\\"$state\\"}"
}
ask() {
  if command -v curl >/dev/null; then
    curl -fsS --fail-early --max-time ${ANSWER_S} --unix-socket ${SOCKET} http://docker/version http://docker/info "$going"
  else
    $limited docker -H unix://${SOCKET} version --format '{{json .Server}}' &&
      $limited docker -H unix://${SOCKET} info --format '{{json .}}' &&
      list running --filter status=running &&
      list paused --filter status=paused --filter status=restarting
  fi
}
root=/var/lib/docker heard=
if [ -n "$active" ] && [ ! -w ${SOCKET} ]; then echo "closed ${SOCKET}"
elif [ -n "$active" ]; then
  if answer=$(ask 2>/dev/null); then
    heard=yes
    echo "engine $(printf '%s\\n' "$answer" | base64 | tr -d '\\n')"
    found=$(printf '%s\\n' "$answer" | sed -n 's/.*"DockerRootDir":"\\([^"]*\\)".*/\\1/p')
    root=\${found:-$root}
  fi
fi
[ -n "$heard" ] || for process in /proc/[0-9]*; do
  { read -r name <"$process/comm"; } 2>/dev/null && [ "$name" = containerd-shim ] || continue
  grep -qa -- "-namespace.moby" "$process/cmdline" 2>/dev/null && [ "$(stat -c %u "$process")" = 0 ] || continue
  # the id is an argument, or ends the path of one
  tr '\\0' '\\n' <"$process/cmdline" | sed -n 's#^\\(.*/\\)\\{0,1\\}\\([0-9a-f]\\{64\\}\\)$#outlived \\2#p' | head -n 1
done
while [ ! -e "$root" ] && [ "$root" != / ]; do root=$(dirname -- "$root"); done
df -Pk -- "$root" 2>/dev/null | { read -r head; read -r device kb rest && echo "disk $kb"; }
`;
