import type { HostFacts } from "../../host/facts";

/** Where Docker's own packages for a machine lie: `linux/FOLDER`, and below it the release. */
export interface DockerDistribution {
  readonly folder: string;
  /** A codename, or a number where distributions have numbers. */
  readonly release: string;
}

const NUMBERED: readonly string[] = ["fedora", "rhel", "centos"];
const NAMED: readonly string[] = ["debian", "ubuntu", "raspbian"];

/**
 * Whose packages of Docker's own repository fit a machine; undefined where none do. What is made of Ubuntu or Debian says
 * of which release; what is made of RHEL has its number.
 */
export function dockerDistribution({ os }: Pick<HostFacts, "os">): DockerDistribution | undefined {
  const [major = ""] = os.versionId.split(".");
  if (NAMED.includes(os.id)) return { folder: os.id, release: os.codename };
  if (NUMBERED.includes(os.id)) return { folder: os.id, release: major };
  if (os.idLike.includes("rhel") || os.id === "ol") return { folder: "centos", release: major };
  if (os.ubuntuCodename !== "") return { folder: "ubuntu", release: os.ubuntuCodename };
  if (os.debianCodename !== "") return { folder: "debian", release: os.debianCodename };
  return undefined;
}
