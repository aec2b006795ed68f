import { REMOTE_PATH } from "../host/command/command";
import { PROXY_PATH, STORE_PATH } from "./acme";
import { ASK, MARK } from "./ask-script";
import { PLACEHOLDER } from "./certificates";
import { LOCKS } from "./ref";

/** What keeps ACME certificates on the host, as root; see host-script for what goes in and out. */

/** How long an order may take before it goes on by itself, and how long a reload, which would end it, waits for one. */
const ORDER_SECONDS = 40;
export const ORDER_WAIT_SECONDS = 45;

/** How long a name is left alone after a try that failed: ACME servers allow few of them in an hour. */
const AGAIN_MINUTES = 30;

const EVERY_MINUTES = 5;

/** For how long a name that left the routes finds its certificate when it comes back, as after a change that is taken back. */
const REST_DAYS = 7;

/**
 * Shell: `save` writes to the disk what HAProxy got from the ACME server, which itself never writes. In the proxy's folder,
 * under its lock.
 */
export const SAVE = `
leaf() { sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/{p;/-END CERTIFICATE-/q;}' "$1" | tr -d '\\r\\n'; }
save() {
  for file in certs/60-*.pem; do
    [ -f "$file" ] || continue
    printf '@1 dump ssl cert /slipway/%s\\n' "$file" | ask >acme/new.pem || break
    grep -q 'PRIVATE KEY-----' acme/new.pem && [ "$(grep -c -e '-BEGIN ' acme/new.pem)" = "$(grep -c -e '-END ' acme/new.pem)" ] || continue
    new=$(leaf acme/new.pem)
    [ -n "$new" ] && [ "$new" != "$(leaf "$file")" ] || continue
    mv -f acme/new.pem "$file" && { sync "$file" 2>/dev/null || :; }
  done
  rm -f acme/new.pem
}
`;

/** Shell: shows which names have none yet, and whether the timer that saves them is there. In the proxy's folder. */
export const SHOW_CERTIFICATES = `
show_certificates() {
  echo '${MARK}digests'
  for file in certs/*.pem acme/*.key acme/*.map acme/ca.pem acme/keep; do [ -f "$file" ] && sha256sum -- "$file"; done
  [ -f acme/keep ] || return 0
  echo '${MARK}placeholders'
  grep -l '^${PLACEHOLDER}' certs/60-*.pem 2>/dev/null
  { [ ! -d /run/systemd/system ] || systemctl --quiet is-active "slipway-proxy-\${folder##*/}.timer"; } && echo '${MARK}keeper'
  return 0
}
`;

/**
 * Shell: `store` makes the list of certificates of the staged routes' keys, and takes away those that no route asks for.
 * `stage_certificates` keeps what somebody else got for a name meanwhile from being overwritten, and gives a name that comes back
 * the certificate that it had; `rest` lays it aside for that.
 */
export const STORE = `
stage_certificates() {
  for file in "$stage"/new/certs/60-*.pem; do
    name=\${file##*/}
    if [ -f "certs/$name" ]; then rm -f -- "$file"; elif [ -f "acme/rest/$name" ]; then cp -- "acme/rest/$name" "$file"; fi
  done
}
rest() {
  if grep -q '^${PLACEHOLDER}' "$1"; then rm -f -- "$1"; return; fi
  mkdir -p acme/rest && mv -f -- "$1" acme/rest/ && touch "acme/rest/\${1##*/}"
}
store() {
  rm -f "$stage/${STORE_PATH}"
  : >"$stage/gone"
  id=$(sed -n 's|^ *account-key /slipway/acme/\\([0-9a-f]*\\)\\.key$|\\1.pem|p' "$stage/${PROXY_PATH}")
  [ -n "$id" ] || return 0
  sed -n 's|^\\([a-z0-9_][^/ :]*\\)/.* [^ ]*$|\\1|p' "$stage/keys" | grep -v '^[0-9.]*$' | LC_ALL=C sort -u >"$stage/names"
  while read -r name; do
    [ -f "$stage/certs/60-$name.$id" ] || continue
    [ -f "$stage/${STORE_PATH}" ] || echo crt-store >"$stage/${STORE_PATH}"
    echo "    load crt /slipway/certs/60-$name.$id acme slipway domains \\"$name\\"" >>"$stage/${STORE_PATH}"
  done <"$stage/names"
  for file in "$stage"/certs/60-*."$id"; do
    [ -f "$file" ] || continue
    name=\${file##*/60-}
    grep -qxF -- "\${name%."$id"}" "$stage/names" || { rm -f -- "$file"; echo "certs/\${file##*/}" >>"$stage/gone"; }
  done
}
`;

/**
 * Asks the ACME server for the certificates of names that have none, waits for them, and saves what came, renewed ones too.
 * `$1` folder, `$2` seconds to wait for others (0: come again another time), further ones names that are asked for even if a try
 * has just failed. The timer starts the same text.
 */
export const KEEP_SCRIPT = `PATH=${REMOTE_PATH} folder=$1 patience=$2${ASK}${SAVE}
shift 2
umask 077
cd -- "$folder" && [ -d acme ] || exit 1
exchange=${LOCKS}.\${folder##*/}.exchange
if [ "$patience" -eq 0 ] && [ -e "$exchange" ]; then
  # its container is being exchanged
  exec 8>>"$exchange" && flock -s -n 8 || exit 0
  exec 8>&-
fi
exec 6>>acme/lock 9>>lock || exit 1
waiting() { grep -l '^${PLACEHOLDER}' certs/60-*.pem 2>/dev/null; }
status() { printf '@1 acme status\\n' | ask; }
began=$(date +%s)
report() {
  # nobody reads what the timer's run says
  [ "$patience" -gt 0 ] || exit 0
  echo '${MARK}placeholders'
  waiting
  echo '${MARK}status'
  status
  echo '${MARK}log'
  timeout 10 docker logs --since "$began" "\${folder##*/}" 2>&1 | grep '^acme: ' | tail -n 200
  exit 0
}
if [ "$patience" -eq 0 ]; then flock -n 6 || exit 0; else flock -w "$patience" 6 || report; fi
saving() { flock -w 20 9 || return 0; save; flock -u 9; }
due() {
  for each in "$@"; do [ "$each" = "$name" ] && return 0; done
  [ -z "$(find "acme/tried.$name" -mmin -${AGAIN_MINUTES} 2>/dev/null)" ]
}
saving
asked=
for file in $(waiting); do
  name=\${file##*/60-}
  name=\${name%.*.pem}
  due "$@" || continue
  : >"acme/tried.$name"
  printf '@1 acme renew /slipway/%s\\n' "$file" | ask >/dev/null
  asked=yes
done
if [ -n "$asked" ]; then
  read -r from _ </proc/uptime
  while sleep 1; status | grep -q "$(printf '\\tRunning\\t')"; do
    read -r up _ </proc/uptime
    [ $((\${up%.*} - \${from%.*})) -lt ${ORDER_SECONDS} ] || break
  done
  saving
fi
find acme -name 'tried.*' -mmin +1440 -exec rm -f -- {} +
find acme/rest -name '*.pem' -mtime +${REST_DAYS} -exec rm -f -- {} + 2>/dev/null
report
`;

/** Lets a timer of the host keep the certificates, over a reboot too. `$1` folder. Says `without` where there is no systemd. */
export const INSTALL_KEEPER_SCRIPT = `folder=$1 unit=slipway-proxy-\${1##*/}
[ -d /run/systemd/system ] || { echo without; exit 0; }
umask 022
cat >"/etc/systemd/system/$unit.service" <<END || exit 1
[Unit]
Description=Slipway: certificates of the proxy \${folder##*/}
After=docker.service

[Service]
Type=oneshot
ExecStart=/bin/sh $folder/acme/keep $folder 0
END
cat >"/etc/systemd/system/$unit.timer" <<END || exit 1
[Unit]
Description=Slipway: certificates of the proxy \${folder##*/}

[Timer]
OnBootSec=1min
OnUnitActiveSec=${EVERY_MINUTES}min
AccuracySec=30s

[Install]
WantedBy=timers.target
END
systemctl daemon-reload && systemctl --quiet enable "$unit.timer" && systemctl restart "$unit.timer"
`;

/** Shell: takes the timer away. `$1` folder. */
export const REMOVE_KEEPER_SCRIPT = `unit=slipway-proxy-\${1##*/}
if [ -e "/etc/systemd/system/$unit.timer" ]; then
  systemctl --quiet disable --now "$unit.timer" 2>/dev/null
  rm -f "/etc/systemd/system/$unit.timer" "/etc/systemd/system/$unit.service"
  systemctl daemon-reload
fi
[ ! -e "/etc/systemd/system/$unit.timer" ] || exit 1
`;
