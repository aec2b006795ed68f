import { SlipwayError } from "../../errors";

/** Whether one of the drivers is the named one; a plugin's name may go without its tag. */
export function hasLogDriver(drivers: readonly string[], name: string): boolean {
  return name === "" || name === "none" || drivers.includes(name) || drivers.includes(`${name}:latest`);
}

/** A daemon takes any name for its log driver, and then starts no container. */
export function noLogDriver(
  host: string,
  name: string,
  drivers: readonly string[],
  left: string,
): SlipwayError {
  return new SlipwayError({
    code: "daemon-config-invalid",
    what: "setting log-driver of daemonConfig",
    host,
    why: `its engine has no log driver "${name}", and would start no container with it`,
    left,
    next: `Set it to one that is there (${drivers.join(", ")}), or install its plugin on the host first`,
  });
}
