/** For an error's next step: where a person sees how the Docker daemon fares, whatever starts it there. */
export const LOOK_AT_DAEMON =
  "Look there at what the Docker daemon wrote (`journalctl -u docker`; without systemd /var/log/docker.log)";

/** The same for its restart. */
export const RESTART_DAEMON = "`systemctl restart docker`; without systemd `/etc/init.d/docker restart`";
