import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import type { EngineSource } from "./source";
import { apk } from "./apk";
import { apt } from "./apt";
import { dnf } from "./dnf";
import { dockerDistribution } from "./docker-distribution";
import type { PackageFamily } from "./package-family";

export const FAMILIES: readonly PackageFamily[] = [apt, dnf, apk];

/** RHEL 7, its rebuilds and Amazon Linux 2 have yum. */
const FIRST_WITH_DNF = 8;

/**
 * The package family of a machine.
 * @throws SlipwayError host-unsupported
 */
export function familyOf(target: string, facts: HostFacts, source: EngineSource): PackageFamily {
  const { id, idLike, prettyName } = facts.os;
  const name = prettyName || id || "an unknown distribution";
  const unsupported = (why: string, next: string): SlipwayError =>
    new SlipwayError({ code: "host-unsupported", what: "setting up Docker", host: target, why, next });
  const family = FAMILIES.find(({ distributions }) =>
    [id, ...idLike].some((each) => distributions.includes(each)),
  );
  if (family === undefined) {
    const why = `it runs ${name}, and Slipway installs on Debian, Ubuntu, RHEL, Fedora, Alpine and what is made of them`;
    throw unsupported(why, "Use a supported distribution");
  }
  if (family.kind === "dnf" && !hasDnf(facts)) {
    throw unsupported(`it runs ${name}, whose package manager is yum`, "Use a release with dnf");
  }
  if (source.kind === "files") {
    const other = source.files.find(({ format }) => format !== family.uploads.format);
    const next = "Give the files that are made for this machine";
    if (other !== undefined) throw unsupported(`it runs ${name}, which has no .${other.format}`, next);
    const alien = source.files.find(({ architecture }) => isForOther(architecture, facts));
    if (alien !== undefined) {
      throw unsupported(`${alien.name} is made for ${alien.architecture}, it is ${facts.architecture}`, next);
    }
  }
  if (source.kind === "docker" && (family.kind === "apk" || dockerDistribution(facts) === undefined)) {
    const next = 'Set source: "distro", or an object with the url and key of a fitting repository';
    throw unsupported(`Docker has no packages for ${name}`, next);
  }
  if (source.kind === "distro" && family.kind === "dnf" && isOfRhel(facts)) {
    throw unsupported(`${name} has no packages of Docker itself`, 'Set source: "docker"');
  }
  return family;
}

/** Debian's words; rpm has those of the kernel. What we do not know the package manager says. */
const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64" };

function isForOther(architecture: string, facts: HostFacts): boolean {
  const known = Object.entries(DEBIAN_ARCHITECTURES).flat();
  const own = DEBIAN_ARCHITECTURES[architecture] ?? architecture;
  return known.includes(own) && known.includes(facts.architecture) && own !== facts.architecture;
}

/** They have podman, and a docker command that is podman's. */
function isOfRhel({ os }: HostFacts): boolean {
  return ["rhel", "centos", "ol"].includes(os.id) || os.idLike.includes("rhel");
}

function hasDnf({ os }: HostFacts): boolean {
  const major = Number.parseInt(os.versionId, 10);
  return Number.isNaN(major) || major >= FIRST_WITH_DNF;
}
