import type { InitSystem } from "./init-system";

const SERVICE = "docker.service";

/** A unit that failed three times within a minute is not started any more until that is forgotten. */
export const systemd: InitSystem = {
  kind: "systemd",
  processOne: "systemd",
  title: "systemd",
  look: `
if systemctl is-active --quiet ${SERVICE} 2>/dev/null; then isActive; fi
enabled=
if systemctl is-enabled --quiet ${SERVICE} 2>/dev/null; then enabled=yes; echo "enabled yes"; fi
[ -n "$active" ] && [ -n "$enabled" ] || for unit in ${SERVICE} docker.socket containerd.service; do
  case $(systemctl is-enabled "$unit" 2>/dev/null) in
  # Debian's packages leave a mask of their own when they go, and take it off when they come
  masked*) [ -e "/var/lib/systemd/deb-systemd-helper-masked/$unit" ] || echo "masked $unit" ;;
  esac
done
`,
  enable: [["systemctl", "enable", "--quiet", SERVICE]],
  forgive: ["systemctl", "reset-failed", SERVICE, "docker.socket", "containerd.service"],
  start: ["systemctl", "start", SERVICE],
  restart: ["systemctl", "restart", SERVICE],
  restartWithRuntime: ["systemctl", "restart", "containerd.service", "docker.socket", SERVICE],
  reload: ["systemctl", "reload", SERVICE],
  lastLines: ["journalctl", "-u", SERVICE, "-n", "20", "--no-pager", "-o", "cat"],
};
