import type { InitSystem } from "./init-system";

/**
 * Alpine's. Its supervisor starts a daemon that died anew for ever, so nothing has to be forgotten: `zap` would only hide
 * a daemon that still runs.
 */
export const openrc: InitSystem = {
  kind: "openrc",
  processOne: "openrc",
  title: "OpenRC",
  look: `
if rc-service docker status >/dev/null 2>&1; then isActive; fi
for link in /etc/runlevels/*/docker; do [ ! -e "$link" ] || { echo "enabled yes"; break; }; done
`,
  enable: [["rc-update", "add", "docker", "default"]],
  forgive: undefined,
  start: ["rc-service", "docker", "start"],
  restart: ["rc-service", "docker", "restart"],
  restartWithRuntime: ["rc-service", "docker", "restart"],
  reload: ["rc-service", "docker", "reload"],
  lastLines: ["tail", "-n", "20", "/var/log/docker.log"],
};
