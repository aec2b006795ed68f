import type { InitSystem } from "./init-system";

const SERVICE = "docker.service";
/** The units that Docker's packages bring. */
export const DOCKER_UNITS = `${SERVICE} docker.socket containerd.service`;
/** Has a unit left alone while packages change (`UNIT.d/` of this folder); gone with the package manager, or a reboot. */
export const GUARD_FOLDER = "/run/systemd/system";
export const GUARD_FILE = "slipway.conf";

/** Takes off what a run left whose every process was killed: the unit could not be started by anybody, else. */
const FORGIVE = `
left=
for unit in ${DOCKER_UNITS}; do
  guard=${GUARD_FOLDER}/$unit.d/${GUARD_FILE}
  [ ! -e "$guard" ] || { rm -f -- "$guard"; left=yes; }
done
[ -z "$left" ] || systemctl daemon-reload
exec systemctl reset-failed ${DOCKER_UNITS}
`;

/** 5: there is no such unit. */
const STOP = `for unit in docker.socket ${SERVICE}; do systemctl stop $unit || [ $? = 5 ] || exit; done`;

/** A unit that failed three times within a minute is not started any more until that is forgotten. */
export const systemd: InitSystem = {
  kind: "systemd",
  processOne: "systemd",
  title: "systemd",
  look: `
if systemctl is-active --quiet ${SERVICE} 2>/dev/null; then isActive; fi
enabled=
if systemctl is-enabled --quiet ${SERVICE} 2>/dev/null; then enabled=yes; echo "enabled yes"; fi
for unit in ${DOCKER_UNITS}; do
  # a mask is a link; where all is well it is not asked for by a command
  [ -z "$active" ] || [ -z "$enabled" ] || [ -L "/etc/systemd/system/$unit" ] || [ -L "/run/systemd/system/$unit" ] || continue
  case $(systemctl is-enabled "$unit" 2>/dev/null) in
  # Debian's packages leave a mask of their own when they go, and take it off when they come
  masked*) [ -e "/var/lib/systemd/deb-systemd-helper-masked/$unit" ] || echo "masked $unit" ;;
  esac
done
`,
  enable: [["systemctl", "enable", "--quiet", SERVICE]],
  forgive: ["/bin/sh", "-c", FORGIVE],
  stop: ["/bin/sh", "-c", STOP],
  start: ["systemctl", "start", SERVICE],
  restart: ["systemctl", "restart", SERVICE],
  restartWithRuntime: ["systemctl", "restart", "containerd.service", "docker.socket", SERVICE],
  status: undefined,
  reload: ["systemctl", "reload", SERVICE],
  lastLines: ["journalctl", "-u", SERVICE, "-n", "20", "--no-pager", "-o", "cat"],
  log: "`journalctl -u docker`",
  definition: "`systemctl cat docker`",
};
