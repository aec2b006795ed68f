import type { InitSystem } from "./init-system";
import { FORGIVE } from "./sysv";

/** Debian's is a plain init script, whose restart fails where no daemon runs, and which knows no reload. */
const RESTART = ["/bin/sh", "-c", "rc-service docker restart || exec rc-service docker start"];
const RELOAD = ["/bin/sh", "-c", 'rc-service docker reload || kill -HUP "$(cat /var/run/docker.pid)"'];

/**
 * Alpine's, and Debian's where somebody chose it. Alpine's supervisor starts a daemon that died anew for ever, so nothing of it
 * has to be forgotten: `zap` would only hide a daemon that still runs.
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
  forgive: FORGIVE,
  stop: ["rc-service", "--ifexists", "--ifstarted", "docker", "stop"],
  start: ["rc-service", "docker", "start"],
  restart: RESTART,
  restartWithRuntime: RESTART,
  status: ["rc-service", "docker", "status"],
  reload: RELOAD,
  lastLines: ["tail", "-n", "20", "/var/log/docker.log"],
  log: "/var/log/docker.log",
  definition: "/etc/init.d/docker, /etc/conf.d/docker",
};
