import { SlipwayError } from "../../errors";
import { DOCKER_PACKAGES, dockerRepository } from "../source";
import { addDnfRepository, dnfSourceFile } from "./dnf-source";
import {
  DESCRIBE_FILES,
  DNF_KEY_PATH,
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
  RELEASE,
  REPAIR,
  RPM_NAMES,
} from "./dnf-text";
import { dockerDistribution } from "./docker-distribution";
import type { PackageFamily } from "./package-family";
import { packageFailure, REFRESH_MS, refusePackageFailure } from "./package-failure";
import { packageScripts } from "./package-script";

/** What distributions package beside the engine. */
const DEPENDENCIES: readonly string[] = ["containerd", "runc"];

const PATIENCE = "dnf waits for another one for as long as that runs";

const { script: mustScript, command: must, change: mustChange } = packageScripts(PATIENCE);

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
        return source.files.map(({ name }) => name).filter((name) => RPM_NAMES.includes(name));
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

  repair(session, run) {
    return mustScript(session, "finishing an interrupted installation", REPAIR, RPM_NAMES, run);
  },

  async addRepository(session, repository, run) {
    await addDnfRepository(session, repository, run);
    const argv = dnfRefresh(DNF_REPO_ID);
    const outcome = await session.exec(argv, { sudo: true, timeoutMs: REFRESH_MS, ...run });
    if (outcome.kind === "exited" && outcome.code === 0) return;
    const error = packageFailure(session, `reading the package source ${repository.url}`, outcome, PATIENCE);
    if (outcome.kind === "lost") throw error;
    // left there, it would have every dnf of this machine fail
    await dnf.removeRepository(session, run);
    throw new SlipwayError({
      ...error.parts,
      left: "The package source was taken off the host again",
      next: "Put the url and key of source right",
    });
  },

  async removeRepository(session, run) {
    await must(
      session,
      "removing the package source",
      ["rm", "-f", "--", DNF_KEY_PATH, DNF_SOURCE_PATH],
      run,
    );
  },

  async refresh(session, run) {
    const outcome = await session.exec(dnfRefresh(), { sudo: true, timeoutMs: REFRESH_MS, ...run });
    refusePackageFailure(session, "refreshing the package lists", outcome, PATIENCE);
    return "all";
  },

  async install(session, { install, remove }, run) {
    const names = [...install.map(({ name }) => name), ...DEPENDENCIES];
    // dnf 5 has no way around a lock but to take it off; what the engine needs may have to change with it
    await mustScript(session, "releasing the packages", RELEASE, names, run);
    const what = `installing ${install.map(({ name, version }) => [name, version].join(" ").trim()).join(", ")}`;
    await mustChange(session, what, dnfInstall(install, remove.length > 0), run);
    if (remove.length > 0) await dnf.remove(session, remove, run);
  },

  uploads: {
    format: "rpm",
    parts: RPM_NAMES,
    describe: DESCRIBE_FILES,

    async install(session, { paths, names, remove }, run) {
      await mustScript(session, "releasing the packages", RELEASE, names, run);
      const what = `installing ${names.join(", ")}`;
      await mustChange(session, what, dnfInstallFiles(paths, remove.length > 0), run);
      if (remove.length > 0) await dnf.remove(session, remove, run);
    },
  },

  async remove(session, names, run) {
    await must(session, `removing ${names.join(", ")}`, dnfRemove(names), run);
  },

  hold(session, names, run) {
    return mustScript(session, "holding the packages", HOLD, names, run);
  },

  unhold(session, names, run) {
    return mustScript(session, "releasing the packages", RELEASE, names, run);
  },
};
