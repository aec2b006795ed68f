import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import type { CommandOutcome, HostSession } from "../../host/session";
import { DOCKER_PACKAGES, dockerRepository, type EngineSource, type Repository } from "../source";
import { addAptRepository, APT_KEY_PATH, APT_SOURCE_PATH } from "./apt-source";
import { peekAtRepository } from "./apt-peek";
import { aptFailure, mustRunApt, runApt } from "./apt-run";
import { APT_LOOK, parseMadison, parseNeeds } from "./apt-text";
import { dockerDistribution } from "./docker-distribution";
import type { PackageFamily, RunOptions } from "./package-family";
import { INSTALL_MS, REFRESH_MS, refusePackageFailure } from "./package-failure";

const APT_OPTIONS = [
  "-q",
  "-y",
  ...["-o", "Dpkg::Use-Pty=0"],
  ...["-o", "Dpkg::Options::=--force-confdef"],
  ...["-o", "Dpkg::Options::=--force-confold"],
];

const ONLY_OUR_SOURCE = [
  ...["-o", `Dir::Etc::sourcelist=${APT_SOURCE_PATH}`],
  ...["-o", "Dir::Etc::sourceparts=-"],
  ...["-o", "APT::Get::List-Cleanup=0"],
  // a server that does not answer is a mere warning otherwise
  ...["-o", "APT::Update::Error-Mode=any"],
];

/** Debian, Ubuntu and what is made of them. */
export const apt: PackageFamily = {
  kind: "apt",
  distributions: ["debian", "ubuntu"],
  engines: ["docker.io", "docker-ce", "podman-docker"],
  look: APT_LOOK,

  names(source) {
    switch (source.kind) {
      case "distro":
        return ["docker.io", "docker-cli"];
      case "docker":
        return DOCKER_PACKAGES;
      case "custom":
        return source.packages;
    }
  },

  dependencies(source) {
    return source.kind === "distro" ? ["containerd", "runc"] : [];
  },

  repository(source, facts) {
    const repository = repositoryOf(source, facts);
    return repository === undefined ? undefined : { ...repository, content: sourceFile(repository, facts) };
  },

  async offers(session, names, signal) {
    const [engine = ""] = names;
    const [offered, shown] = await Promise.all([
      session.run(["apt-cache", "madison", ...names], { signal }),
      session.exec(["apt-cache", "show", engine], { signal }), // one that nobody has is no answer, and madison says so
    ]);
    const needs = parseNeeds(shown.stdout);
    return parseMadison(offered).map((offer) => {
      const own = offer.name === engine ? needs.get(offer.version) : undefined;
      return own === undefined ? offer : { ...offer, needs: own };
    });
  },

  peek: peekAtRepository,

  async repair(session, run) {
    const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: true };
    const configure = ["dpkg", "--configure", "-a", "--force-confold"];
    await mustRunApt(session, "finishing an interrupted installation", configure, change);
    const fix = ["apt-get", ...APT_OPTIONS, "--fix-broken", "install"];
    await mustRunApt(session, "repairing dependencies", fix, change);
  },

  async addRepository(session, repository, run) {
    await addAptRepository(session, repository, run);
    const outcome = await refreshLists(session, run, ONLY_OUR_SOURCE);
    if (outcome.kind === "exited" && outcome.code === 0) return;
    const error = aptFailure(session, `reading the package source ${repository.url}`, outcome);
    if (outcome.kind === "lost") throw error;
    // left there, it would have every apt-get update of this machine fail
    await apt.removeRepository(session, run);
    throw new SlipwayError({
      ...error.parts,
      left: "The package source was taken off the host again",
      next: "Put the url, suite, components and key of source right",
    });
  },

  async removeRepository(session, run) {
    const argv = ["rm", "-f", "--", APT_KEY_PATH, APT_SOURCE_PATH];
    await must(session, "removing the package source", argv, run);
  },

  async refresh(session, run, source) {
    if (source !== undefined) {
      const read = await refreshLists(session, run, ONLY_OUR_SOURCE);
      if (read.kind !== "exited" || read.code !== 0) {
        throw aptFailure(session, `reading the package source ${source}`, read);
      }
    }
    const outcome = await refreshLists(session, run);
    if (outcome.kind !== "exited" || outcome.code !== 0) {
      throw aptFailure(session, "refreshing the package lists", outcome);
    }
  },

  async install(session, order, run) {
    const wanted = order.install.map(({ name, version }) =>
      version === undefined ? name : `${name}=${version}`,
    );
    // a package with "-" behind it is removed in the same step, so that no moment is without an engine
    const unwanted = order.remove.map((name) => `${name}-`);
    const flags = ["--no-install-recommends", "--allow-change-held-packages"];
    if (order.allowDowngrade) flags.push("--allow-downgrades");
    const argv = ["apt-get", ...APT_OPTIONS, ...flags, "install", ...wanted, ...unwanted];
    const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: true };
    await mustRunApt(session, `installing ${wanted.join(", ")}`, argv, change);
  },

  async remove(session, names, run) {
    const argv = ["apt-get", ...APT_OPTIONS, "--allow-change-held-packages", "remove", ...names];
    // the services end with their packages
    const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: false };
    await mustRunApt(session, `removing ${names.join(", ")}`, argv, change);
  },

  async hold(session, names, run) {
    await must(session, "holding the packages", ["apt-mark", "hold", ...names], run);
  },

  async unhold(session, names, run) {
    await must(session, "releasing the packages", ["apt-mark", "unhold", ...names], run);
  },
};

function repositoryOf(source: EngineSource, facts: HostFacts): Repository | undefined {
  if (source.kind === "distro") return undefined;
  if (source.kind === "custom") return source;
  const { folder, release } = dockerDistribution(facts) ?? {
    folder: facts.os.id,
    release: facts.os.codename,
  };
  return { ...dockerRepository("deb", folder), suite: release };
}

function sourceFile(repository: Repository, facts: HostFacts): string {
  const lines = [
    "# Written by Slipway for the Docker packages; changes here are overwritten.",
    "Types: deb",
    `URIs: ${repository.url}`,
    `Suites: ${repository.suite ?? facts.os.codename}`,
    `Components: ${repository.components.join(" ")}`,
  ];
  if (repository.key !== undefined) lines.push(`Signed-By: ${APT_KEY_PATH}`);
  return `${lines.join("\n")}\n`;
}

function refreshLists(
  session: HostSession,
  run: RunOptions,
  options: readonly string[] = [],
): Promise<CommandOutcome> {
  const argv = ["apt-get", ...APT_OPTIONS, ...options, "update"];
  return runApt(session, argv, { ...run, timeoutMs: REFRESH_MS, changesPackages: false });
}

async function must(
  session: HostSession,
  what: string,
  argv: readonly string[],
  run: RunOptions,
): Promise<void> {
  refusePackageFailure(session, what, await session.exec(argv, { sudo: true, ...run }));
}
