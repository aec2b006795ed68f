import type { InitSystem } from "./init-system";

const SERVICE = "docker.service";

/** A unit that failed three times within a minute is not started any more until that is forgotten. */
export const systemd: InitSystem = {
  kind: "systemd",
  processOne: "systemd",
  title: "systemd",
  look: `
if systemctl is-active --quiet ${SERVICE} 2>/dev/null; then isActive; fi
if systemctl is-enabled --quiet ${SERVICE} 2>/dev/null; then echo "enabled yes"; fi
`,
  enable: [["systemctl", "enable", "--quiet", SERVICE]],
  forgive: ["systemctl", "reset-failed", SERVICE, "docker.socket", "containerd.service"],
  start: ["systemctl", "start", SERVICE],
  restart: ["systemctl", "restart", SERVICE],
  reload: ["systemctl", "reload", SERVICE],
  lastLines: ["journalctl", "-u", SERVICE, "-n", "20", "--no-pager", "-o", "cat"],
};
