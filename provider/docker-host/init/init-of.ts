import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import type { InitSystem } from "./init-system";
import { openrc } from "./openrc";
import { systemd } from "./systemd";
import { sysv } from "./sysv";

export const INIT_SYSTEMS: readonly InitSystem[] = [systemd, openrc, sysv];

/**
 * The init system of a machine.
 * @throws SlipwayError host-unsupported
 */
export function initOf(target: string, { init }: Pick<HostFacts, "init">): InitSystem {
  const found = INIT_SYSTEMS.find(({ processOne }) => processOne === init);
  if (found !== undefined) return found;
  throw new SlipwayError({
    code: "host-unsupported",
    what: "setting up Docker",
    host: target,
    why: `its process 1 is ${init || "not to be seen"}, and not systemd, OpenRC or a SysV init`,
    next: "Use a machine with one of them",
  });
}
