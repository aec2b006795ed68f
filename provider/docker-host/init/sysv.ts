import type { InitSystem } from "./init-system";

const SCRIPT = "/etc/init.d/docker";
const PID = "/var/run/docker-ssd.pid";
/** Debian's script fails to stop a daemon that died, and its package then fails to be removed. */
export const FORGIVE = [
  "/bin/sh",
  "-c",
  `[ ! -e ${PID} ] || ${SCRIPT} status >/dev/null 2>&1 || rm -f ${PID}`,
];
/** Debian's script ends its restart where no daemon runs, and says that it failed. */
const RESTART = ["/bin/sh", "-c", `${SCRIPT} restart || exec ${SCRIPT} start`];

/**
 * Debian and Devuan without systemd. The packages' script has no reload (its force-reload is a restart), so the daemon is
 * signalled; `update-rc.d defaults` leaves links alone that are there, `enable` turns off ones on.
 */
export const sysv: InitSystem = {
  kind: "sysv",
  processOne: "init",
  title: "the init script",
  look: `
if [ -x ${SCRIPT} ] && ${SCRIPT} status >/dev/null 2>&1; then isActive; fi
for link in /etc/rc[2-5].d/S*docker; do [ ! -e "$link" ] || { echo "enabled yes"; break; }; done
`,
  enable: [
    ["update-rc.d", "docker", "defaults"],
    ["update-rc.d", "docker", "enable"],
  ],
  forgive: FORGIVE,
  stop: ["/bin/sh", "-c", `[ ! -x ${SCRIPT} ] || ! ${SCRIPT} status >/dev/null 2>&1 || ${SCRIPT} stop`],
  start: [SCRIPT, "start"],
  restart: RESTART,
  restartWithRuntime: RESTART,
  status: [SCRIPT, "status"],
  reload: ["start-stop-daemon", "--stop", "--signal", "HUP", "--pidfile", "/var/run/docker.pid"],
  lastLines: ["tail", "-n", "20", "/var/log/docker.log"],
  log: "/var/log/docker.log",
  definition: "/etc/init.d/docker, /etc/default/docker",
};
