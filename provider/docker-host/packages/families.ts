import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import { openrc } from "../init/openrc";
import { systemd } from "../init/systemd";
import { sysv } from "../init/sysv";
import { lookScript } from "../look-script";
import type { EngineSource } from "../source";
import { apt } from "./apt";
import type { PackageFamily } from "./package-family";

/** The look at a machine of any family. */
export const LOOK = lookScript([apt], [systemd, openrc, sysv]);

/** Distributions that Docker's own repository has packages for. */
const DOCKER_DISTRIBUTIONS: readonly string[] = ["debian", "ubuntu", "raspbian"];

/**
 * The package family of a machine.
 * @throws SlipwayError host-unsupported
 */
export function familyOf(target: string, facts: HostFacts, source: EngineSource): PackageFamily {
  const { id, idLike, prettyName } = facts.os;
  const unsupported = (why: string, next: string): SlipwayError =>
    new SlipwayError({ code: "host-unsupported", what: "setting up Docker", host: target, why, next });
  if (![id, ...idLike].includes("debian") && id !== "ubuntu") {
    const name = prettyName || id || "an unknown distribution";
    throw unsupported(
      `it runs ${name}, and Slipway installs on Debian and Ubuntu`,
      "Use a supported distribution",
    );
  }
  if (source.kind === "docker" && !DOCKER_DISTRIBUTIONS.includes(id)) {
    const next = 'Set source: "distro", or an object with the url and suite of a fitting repository';
    throw unsupported(`Docker has no packages for ${prettyName || id}`, next);
  }
  return apt;
}
