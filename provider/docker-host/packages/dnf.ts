import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { formerSource } from "./former-source";
import { namesAmong } from "./package-file";
import { DOCKER_PACKAGES, dockerRepository } from "./source";
import { peekAtRpms } from "./dnf-peek";
import { dnfRemovals } from "./dnf-removals";
import { addDnfRepository, dnfSourceFile } from "./dnf-source";
import {
  DESCRIBE_FILES,
  DNF_HELD,
  DNF_KEY_PATH,
  DNF_LOCKS,
  DNF_LOOK,
  DNF_REPO_ID,
  DNF_SOURCE_PATH,
  dnfInstall,
  dnfInstallFiles,
  dnfOffers,
  dnfRefresh,
  dnfRemove,
  HOLD,
  parseRepoquery,
  PROTECT,
  RELEASE,
  REPAIR,
  RPM_NAMES,
} from "./dnf-text";
import { dockerDistribution } from "./docker-distribution";
import { runFailure } from "./lock-wait";
import type { PackageFamily, RunOptions } from "./package-family";
import { packageFailure, REFRESH_MS, refusePackageFailure } from "./package-failure";
import { packageScripts } from "./package-script";

/** What distributions package beside the engine. */
const DEPENDENCIES: readonly string[] = ["containerd", "runc"];

const { script: mustScript, command: must, change: mustChange, attempt } = packageScripts(DNF_LOCKS);

/** RHEL and what is made of it, Fedora, Amazon Linux. dnf 4 and dnf 5. */
export const dnf: PackageFamily = {
  kind: "dnf",
  distributions: ["rhel", "fedora", "centos", "amzn"],
  engines: ["docker-ce", "docker", "moby-engine", "podman-docker"],
  look: DNF_LOOK,

  names(source, { os }) {
    switch (source.kind) {
      case "distro":
        return os.id === "amzn" ? ["docker"] : ["moby-engine", "docker-cli"];
      case "docker":
        return DOCKER_PACKAGES;
      case "custom":
        return source.packages;
      case "files":
        return namesAmong(RPM_NAMES, source.files);
    }
  },

  dependencies(source) {
    return source.kind === "distro" ? DEPENDENCIES : [];
  },

  repository(source, facts) {
    if (source.kind === "distro" || source.kind === "files") return undefined;
    const { folder, release } = dockerDistribution(facts) ?? { folder: facts.os.id, release: "" };
    const path = `${folder}/${release}/${facts.architecture}/stable`;
    const repository = source.kind === "custom" ? source : dockerRepository("rpm", folder, path);
    return { ...repository, content: dnfSourceFile(repository) };
  },

  async offers(session, names, signal) {
    // a user's own cache would be filled anew
    return parseRepoquery(await session.run(dnfOffers(names), { sudo: true, signal }));
  },

  peek: peekAtRpms,

  removals: dnfRemovals,

  repair(session, run) {
    // the scripts of the one that goes would restart the daemon
    const argv = ["/bin/sh", "-c", REPAIR, "slipway-repair", ...RPM_NAMES];
    return mustChange(session, "finishing an interrupted installation", argv, run);
  },

  async addRepository(session, repository, run) {
    const former = await formerSource(session, [DNF_SOURCE_PATH, DNF_KEY_PATH], run);
    await addDnfRepository(session, repository, run);
    const outcome = await attempt(session, dnfRefresh(DNF_REPO_ID), REFRESH_MS, run);
    if (outcome.kind === "exited" && outcome.code === 0) return;
    const error = runFailure(session, `reading the package source ${repository.url}`, outcome);
    if (outcome.kind === "lost") throw error;
    // left there, it would have every dnf of this machine fail
    const again = await former.putBack();
    if (again === undefined) await dnf.removeRepository(session, run);
    throw new SlipwayError({
      ...error.parts,
      left: again ?? "The package source was taken off the host again",
      next: "Put the url and key of source right",
    });
  },

  async removeRepository(session, run) {
    const argv = ["rm", "-f", "--", DNF_KEY_PATH, DNF_SOURCE_PATH];
    const outcome = await session.exec(argv, { sudo: true, ...run });
    refusePackageFailure(session, "removing the package source", outcome);
  },

  async refresh(session, run) {
    const outcome = await attempt(session, dnfRefresh(), REFRESH_MS, run);
    if (outcome.kind === "exited" && outcome.code === 0) return "all";
    throw runFailure(session, "refreshing the package lists", outcome);
  },

  async install(session, { install, remove }, run) {
    const what = `installing ${install.map(({ name, version }) => [name, version].join(" ").trim()).join(", ")}`;
    const own = install.map(({ name }) => name);
    // what the engine needs may have to change with it; what a tool needs is none of these
    const names = own.some((name) => RPM_NAMES.includes(name)) ? [...own, ...DEPENDENCIES] : own;
    await exchange(session, { what, names, argv: dnfInstall(install, remove.length > 0), remove }, run);
  },

  uploads: {
    format: "rpm",
    parts: RPM_NAMES,
    describe: DESCRIBE_FILES,

    async install(session, { paths, names, remove }, run) {
      const argv = dnfInstallFiles(paths, remove.length > 0);
      await exchange(session, { what: `installing ${names.join(", ")}`, names, argv, remove }, run);
    },
  },

  async remove(session, names, run) {
    const what = `removing ${names.join(", ")}`;
    // of a name that is not there dnf would take whoever provides it: containerd.io for runc
    const there = await installedOf(session, what, names, run);
    if (there.length === 0) return;
    await mustScript(session, what, PROTECT, there, run);
    await must(session, what, dnfRemove(there), run);
  },

  hold(session, names, run) {
    return mustScript(session, "holding the packages", HOLD, names, run);
  },

  unhold(session, names, run) {
    return mustScript(session, "releasing the packages", RELEASE, names, run);
  },
};

/** One installation, and what it is about. */
interface Exchange {
  readonly what: string;
  readonly names: readonly string[];
  readonly argv: readonly string[];
  readonly remove: readonly string[];
}

/**
 * What comes in one step, with its locks off; then what is in its way and still there goes. Nothing else does. The locks are on again
 * after a failure, and the one of what an engine needs always: it may be somebody else's.
 */
async function exchange(session: HostSession, change: Exchange, run: RunOptions): Promise<void> {
  const { what, names, argv, remove } = change;
  const locked = await lockedOf(session, what, names, run);
  try {
    // dnf 5 has no way around a lock but to take it off
    await mustScript(session, "releasing the packages", RELEASE, names, run);
    await mustScript(session, what, PROTECT, remove, run);
    await mustChange(session, what, argv, run);
    if (remove.length > 0) await dnf.remove(session, remove, run);
  } catch (error) {
    await lockAgain(session, locked, run);
    throw error;
  }
  const kept = locked.filter((name) => DEPENDENCIES.includes(name) && !remove.includes(name));
  await lockAgain(session, kept, run);
}

/** The failure is the one to tell, and a lock that is gone is drift to the next look. */
async function lockAgain(session: HostSession, names: readonly string[], run: RunOptions): Promise<void> {
  if (names.length > 0) await dnf.hold(session, names, run).catch(() => {});
}

async function lockedOf(
  session: HostSession,
  what: string,
  names: readonly string[],
  { signal }: RunOptions,
): Promise<readonly string[]> {
  const outcome = await session.script(DNF_HELD, [], { signal });
  if (outcome.kind !== "exited") throw packageFailure(session, what, outcome);
  const found = outcome.stdout.split("\n").map((line) => line.split(" ")[1]);
  return names.filter((name) => found.includes(name));
}

async function installedOf(
  session: HostSession,
  what: string,
  names: readonly string[],
  { signal }: RunOptions,
): Promise<readonly string[]> {
  const outcome = await session.exec(["rpm", "-q", "--qf", "%{NAME}\\n", "--", ...names], { signal });
  // the exit code counts those that are not there
  if (outcome.kind !== "exited") throw packageFailure(session, what, outcome);
  const found = outcome.stdout.split("\n");
  return names.filter((name) => found.includes(name));
}
