import { DOCKER_UNITS } from "../init/systemd";

const UNITS = DOCKER_UNITS.replaceAll(".", "\\.").replaceAll(" ", "|");
/** systemd's whole sentence about a unit whose manual start or stop is refused: for Docker's units that is our guard's doing. */
const REFUSED = new RegExp(
  `^Failed to \\S+ (${UNITS}): Operation refused, unit \\1 may be requested by dependency only \\(it is configured to refuse manual start/stop\\)\\.$`,
);
/** What follows such a sentence: systemctl's own hint, and the last words of Debian's wrapper around it. */
const AFTER_REFUSED = new RegExp(
  `^(See system logs and 'systemctl status (${UNITS})' for details\\.|Could not execute systemctl: .* at /usr/bin/deb-systemd-invoke line \\d+\\.)$`,
);

/**
 * Tells, line by line, what the scripts of packages say only because Docker's services are left alone meanwhile (SERVICE_GUARD): all
 * is as it should be then, and it reads as if it were not.
 */
export function guardWords(): (line: string) => boolean {
  let isWithin = false;
  return (line) => {
    isWithin = REFUSED.test(line) || (isWithin && AFTER_REFUSED.test(line));
    return isWithin;
  };
}
