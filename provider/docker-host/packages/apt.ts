import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import type { CommandOutcome, HostSession } from "../../host/session";
import { namesAmong } from "./package-file";
import { DOCKER_PACKAGES, dockerRepository, type EngineSource, type Repository } from "./source";
import { addAptRepository, APT_KEY_PATH, APT_SOURCE_PATH } from "./apt-source";
import { peekAtRepository } from "./apt-peek";
import { repairApt } from "./apt-repair";
import { mustRunApt, runApt } from "./apt-run";
import {
  APT_LOOK,
  APT_OPTIONS,
  aptInstall,
  aptTrial,
  aptWords,
  DEB_NAMES,
  parseMadison,
  parseNeeds,
  parseRemovals,
} from "./apt-text";
import { aptUploads } from "./apt-upload";
import { dockerDistribution } from "./docker-distribution";
import { formerSource } from "./former-source";
import { LOCK_TAKEN, runFailure } from "./lock-wait";
import type { NeededSource, PackageFamily, RunOptions } from "./package-family";
import { INSTALL_MS, packageFailure, REFRESH_MS, refusePackageFailure } from "./package-failure";

const SIMULATION_MS = 120_000;

/** A server that does not answer is a mere warning otherwise. */
const WHOLE = ["-o", "APT::Update::Error-Mode=any"];

/** One file of sources, whose lists alone are read anew. */
const only = (file: string): readonly string[] => [
  ...["-o", `Dir::Etc::sourcelist=${file}`],
  ...["-o", "Dir::Etc::sourceparts=-"],
  ...["-o", "APT::Get::List-Cleanup=0"],
  ...WHOLE,
];

/** Of Debian, Ubuntu and Raspbian, by release; one that is not there has nothing to read. */
const DISTRIBUTION_FILES = [
  "/etc/apt/sources.list",
  "/etc/apt/sources.list.d/debian.sources",
  "/etc/apt/sources.list.d/ubuntu.sources",
  "/etc/apt/sources.list.d/raspbian.sources",
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
      case "files":
        return namesAmong(DEB_NAMES, source.files);
    }
  },

  dependencies(source) {
    const isDebians =
      source.kind === "distro" || (source.kind === "custom" && source.packages[0] === "docker.io");
    return isDebians ? ["containerd", "runc"] : [];
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
    if (shown.kind !== "exited") throw packageFailure(session, `asking what ${engine} needs`, shown);
    const needs = parseNeeds(shown.stdout);
    return parseMadison(offered).map((offer) => {
      const own = offer.name === engine ? needs.get(offer.version) : undefined;
      return own === undefined ? offer : { ...offer, needs: own };
    });
  },

  peek: peekAtRepository,

  async removals(session, order, signal) {
    const argv = aptTrial(aptWords(order.install), order);
    const isRemoval = order.install.length === 0;
    // an installation is tried by a preview, too, whose user may have no rights
    const outcome = await session.exec(argv, { timeoutMs: SIMULATION_MS, signal, sudo: isRemoval });
    const what = isRemoval ? "trying the removal" : "trying the installation";
    // half an answer would be taken for one that removes less
    if (outcome.kind !== "exited") throw packageFailure(session, what, outcome);
    // an installation that cannot be done is told by the run itself, with its reasons; a removal goes on with what it has
    if (isRemoval) refusePackageFailure(session, what, outcome);
    return parseRemovals(outcome.stdout).filter((name) => !order.remove.includes(name));
  },

  repair: repairApt,

  async addRepository(session, repository, run) {
    const former = await formerSource(session, [APT_SOURCE_PATH, APT_KEY_PATH], run);
    await addAptRepository(session, repository, run);
    const outcome = await refreshLists(session, run, only(APT_SOURCE_PATH));
    if (outcome.kind === "exited" && outcome.code === 0) return;
    const error = runFailure(session, `reading the package source ${repository.url}`, outcome);
    if (outcome.kind === "lost") throw error;
    // left there, it would have every apt-get update of this machine fail
    const again = await former.putBack();
    if (again === undefined) await apt.removeRepository(session, run);
    throw new SlipwayError({
      ...error.parts,
      left: again ?? "The package source was taken off the host again",
      next: "Put the url, suite, components and key of source right",
    });
  },

  async removeRepository(session, run) {
    const argv = ["rm", "-f", "--", APT_KEY_PATH, APT_SOURCE_PATH];
    const outcome = await session.exec(argv, { sudo: true, ...run });
    refusePackageFailure(session, "removing the package source", outcome);
  },

  async refresh(session, run, needed) {
    const outcome = await refreshLists(session, run, WHOLE);
    if (outcome.kind === "exited" && outcome.code === 0) return "all";
    if (outcome.kind !== "exited" || outcome.code === LOCK_TAKEN) {
      throw runFailure(session, readingOf(needed), outcome);
    }
    // somebody else's source that is broken is no reason to do without ours
    for (const file of filesOf(needed)) {
      const read = await refreshLists(session, run, only(file));
      if (read.kind !== "exited" || read.code !== 0) throw runFailure(session, readingOf(needed), read);
    }
    return "own";
  },

  async install(session, order, run) {
    const wanted = aptWords(order.install);
    const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: true };
    await mustRunApt(session, `installing ${wanted.join(", ")}`, aptInstall(wanted, order), change);
  },

  uploads: aptUploads,

  async remove(session, names, run) {
    const argv = ["apt-get", ...APT_OPTIONS, "--allow-change-held-packages", "remove", ...names];
    // the services end with their packages
    const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: false };
    await mustRunApt(session, `removing ${names.join(", ")}`, argv, change);
  },

  async hold(session, names, run) {
    await mark(session, "holding the packages", ["hold", ...names], run);
  },

  async unhold(session, names, run) {
    await mark(session, "releasing the packages", ["unhold", ...names], run);
  },
};

function repositoryOf(source: EngineSource, facts: HostFacts): Repository | undefined {
  if (source.kind === "distro" || source.kind === "files") return undefined;
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

function filesOf(needed: NeededSource): readonly string[] {
  switch (needed.kind) {
    case "ours":
      return [APT_SOURCE_PATH];
    case "others":
      return needed.files;
    case "distribution":
      return DISTRIBUTION_FILES;
  }
}

function readingOf(needed: NeededSource): string {
  return needed.kind === "distribution"
    ? "refreshing the package lists"
    : `reading the package source ${needed.url}`;
}

function refreshLists(
  session: HostSession,
  run: RunOptions,
  options: readonly string[] = [],
): Promise<CommandOutcome> {
  const argv = ["apt-get", ...APT_OPTIONS, ...options, "update"];
  return runApt(session, argv, { ...run, timeoutMs: REFRESH_MS, changesPackages: false });
}

/** Holds are dpkg's, which waits for nobody's lock by itself. */
async function mark(
  session: HostSession,
  what: string,
  words: readonly string[],
  run: RunOptions,
): Promise<void> {
  const change = { ...run, timeoutMs: INSTALL_MS, changesPackages: false };
  await mustRunApt(session, what, ["apt-mark", ...words], change);
}
