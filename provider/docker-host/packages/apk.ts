import { SlipwayError } from "../../errors";
import { DOCKER_PACKAGES } from "../source";
import { addApkRepository, apkRepository } from "./apk-source";
import {
  APK_DESCRIBE_FILES,
  APK_HOLD,
  APK_KEY_LINE,
  APK_LOOK,
  APK_NAMES,
  APK_REFRESH,
  APK_REPAIR,
  APK_SOURCE_PATH,
  apkInstall,
  apkInstallFiles,
  apkPolicy,
  apkRelease,
  apkRemove,
  FORGET_CONFLICTS,
  parsePolicy,
  RELEASE_PINNED,
} from "./apk-text";
import type { PackageFamily } from "./package-family";
import { packageFailure, REFRESH_MS, refusePackageFailure } from "./package-failure";
import { packageScripts } from "./package-script";

/** The engine with what starts it, and the command. */
const ALPINE_PACKAGES: readonly string[] = ["docker-engine", "docker-cli", "docker-openrc"];

const DEPENDENCIES: readonly string[] = ["containerd", "runc"];

const { script: mustScript, command: must } = packageScripts();

/** Our source, and the key that it names; one that Alpine itself brought stays. */
const REMOVE_SOURCE = `
key=$(sed -n 's/^${APK_KEY_LINE}//p' ${APK_SOURCE_PATH} 2>/dev/null)
[ -z "$key" ] || apk info --who-owns "$key" >/dev/null 2>&1 || rm -f -- "$key"
rm -f -- ${APK_SOURCE_PATH}
`;

/** Alpine. apk-tools 2 and 3. */
export const apk: PackageFamily = {
  kind: "apk",
  distributions: ["alpine"],
  engines: ["podman-docker"],
  look: APK_LOOK,

  names(source) {
    if (source.kind === "files") {
      return source.files.map(({ name }) => name).filter((name) => APK_NAMES.includes(name));
    }
    if (source.kind !== "custom") return ALPINE_PACKAGES;
    return source.packages === DOCKER_PACKAGES ? ALPINE_PACKAGES : source.packages;
  },

  dependencies(source) {
    return source.kind === "files" ? [] : DEPENDENCIES;
  },

  repository: apkRepository,

  async offers(session, names, signal) {
    return parsePolicy(await session.run(apkPolicy(names), { signal }));
  },

  async repair(session, run) {
    await must(session, "finishing an interrupted installation", APK_REPAIR, run);
  },

  async addRepository(session, repository, run) {
    await addApkRepository(session, repository, run);
    const outcome = await session.exec(APK_REFRESH, { sudo: true, timeoutMs: REFRESH_MS, ...run });
    const what = `reading the package source ${repository.url}`;
    if (outcome.kind === "lost") throw packageFailure(session, what, outcome);
    const offers = parsePolicy(await session.run(apkPolicy(APK_NAMES), { signal: run.signal }));
    // an index that cannot be read, or that another key signed, is a mere warning to apk
    if (offers.some(({ repositories }) => repositories.includes(repository.url))) return;
    await apk.removeRepository(session, run);
    throw new SlipwayError({
      code: "engine-install-failed",
      what,
      host: session.target,
      why: "it cannot be read, is not signed with a key that the host trusts, or has no package of Docker",
      left: "The package source was taken off the host again",
      next: "Put the url and key of source right",
    });
  },

  async removeRepository(session, run) {
    await mustScript(session, "removing the package source", REMOVE_SOURCE, [], run);
  },

  async refresh(session, run) {
    const outcome = await session.exec(APK_REFRESH, { sudo: true, timeoutMs: REFRESH_MS, ...run });
    refusePackageFailure(session, "refreshing the package lists", outcome);
    return "all";
  },

  async install(session, { install, remove }, run) {
    await mustScript(session, "releasing the packages", RELEASE_PINNED, DEPENDENCIES, run);
    const wanted = install.map(({ name, version }) => [name, version].join(" ").trim());
    await must(session, `installing ${wanted.join(", ")}`, apkInstall(install, remove), run);
    if (remove.length > 0) {
      await mustScript(session, "taking conflicts out of world", FORGET_CONFLICTS, remove, run);
    }
    // the hold is a step of its own
    const names = install.map(({ name }) => name);
    await must(session, "releasing the packages", apkRelease(names), run);
  },

  uploads: {
    format: "apk",
    parts: APK_NAMES,
    describe: APK_DESCRIBE_FILES,

    async install(session, { paths, names, remove }, run) {
      await mustScript(session, "releasing the packages", RELEASE_PINNED, DEPENDENCIES, run);
      await must(session, `installing ${names.join(", ")}`, apkInstallFiles(paths, remove), run);
      if (remove.length > 0) {
        await mustScript(session, "taking conflicts out of world", FORGET_CONFLICTS, remove, run);
      }
      // world names the very files until then
      await must(session, "releasing the packages", apkRelease(names), run);
    },
  },

  async remove(session, names, run) {
    await must(session, `removing ${names.join(", ")}`, apkRemove(names), run);
  },

  async hold(session, names, run) {
    await mustScript(session, "holding the packages", APK_HOLD, names, run);
  },

  async unhold(session, names, run) {
    await must(session, "releasing the packages", apkRelease(names), run);
  },
};
