import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { formerSource } from "./former-source";
import { namesAmong } from "./package-file";
import { DOCKER_PACKAGES } from "./source";
import { addApkRepository, apkFiles, apkRepository, peekAtApks } from "./apk-source";
import {
  APK_DESCRIBE_FILES,
  APK_HOLD,
  APK_KEY_LINE,
  APK_LOCKS,
  APK_LOOK,
  APK_NAMES,
  APK_PINNED,
  APK_REFRESH,
  APK_REPAIR,
  APK_SOURCE_PATH,
  apkInstall,
  apkInstallFiles,
  apkPolicy,
  apkRelease,
  apkRemove,
  apkRemoveTrial,
  apkTrial,
  FORGET_CONFLICTS,
  parseKeepers,
  parsePolicy,
  parsePurged,
} from "./apk-text";
import { LOCK_TAKEN, runFailure } from "./lock-wait";
import type { PackageFamily, RunOptions } from "./package-family";
import { packageFailure, REFRESH_MS, refusePackageFailure } from "./package-failure";
import { packageScripts } from "./package-script";

/** The engine with what starts it, and the command. */
const ALPINE_PACKAGES: readonly string[] = ["docker-engine", "docker-cli", "docker-openrc"];

const TRIAL_MS = 120_000;

const DEPENDENCIES: readonly string[] = ["containerd", "runc"];

const { script: mustScript, command: must, attempt } = packageScripts(APK_LOCKS);

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
    if (source.kind === "files") return namesAmong(APK_NAMES, source.files);
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

  peek: peekAtApks,

  async removals(session, { install, remove }, signal) {
    // what nobody needs any more goes with every run of apk; what somebody needs never does unasked
    if (remove.length === 0) return [];
    const argv = install.length === 0 ? apkRemoveTrial(remove) : apkTrial(install, remove);
    const outcome = await session.exec(argv, { sudo: true, timeoutMs: TRIAL_MS, signal });
    // half an answer would be taken for one that removes less
    if (outcome.kind !== "exited") throw packageFailure(session, "trying the change", outcome);
    if (install.length > 0) return parsePurged(outcome.stdout).filter((name) => !remove.includes(name));
    refusePackageFailure(session, "trying the removal", outcome);
    return parseKeepers(outcome.stdout);
  },

  async repair(session, run) {
    await must(session, "finishing an interrupted installation", APK_REPAIR, run);
  },

  async addRepository(session, repository, run) {
    const former = await formerSource(session, apkFiles(repository), run);
    await addApkRepository(session, repository, run);
    const outcome = await attempt(session, APK_REFRESH, REFRESH_MS, run);
    const what = `reading the package source ${repository.url}`;
    if (outcome.kind !== "exited" || outcome.code === LOCK_TAKEN) throw runFailure(session, what, outcome);
    const offers = parsePolicy(await session.run(apkPolicy(APK_NAMES), { signal: run.signal }));
    // an index that cannot be read, or that another key signed, is a mere warning to apk
    if (offers.some(({ repositories }) => repositories.includes(repository.url))) return;
    const again = await former.putBack();
    if (again === undefined) await apk.removeRepository(session, run);
    throw new SlipwayError({
      code: "engine-install-failed",
      what,
      host: session.target,
      why: "it cannot be read, is not signed with a key that the host trusts, or has no package of Docker",
      left: again ?? "The package source was taken off the host again",
      next: "Put the url and key of source right",
    });
  },

  async removeRepository(session, run) {
    const outcome = await session.script(REMOVE_SOURCE, [], { sudo: true, ...run });
    refusePackageFailure(session, "removing the package source", outcome);
  },

  async refresh(session, run) {
    const outcome = await attempt(session, APK_REFRESH, REFRESH_MS, run);
    if (outcome.kind === "exited" && outcome.code === 0) return "all";
    throw runFailure(session, "refreshing the package lists", outcome);
  },

  async install(session, { install, remove }, run) {
    const what = `installing ${install.map(({ name, version }) => [name, version].join(" ").trim()).join(", ")}`;
    const names = install.map(({ name }) => name);
    await exchange(session, { what, names, argv: apkInstall(install, remove), remove }, run);
  },

  uploads: {
    format: "apk",
    parts: APK_NAMES,
    describe: APK_DESCRIBE_FILES,

    async install(session, { paths, names, remove }, run) {
      const argv = apkInstallFiles(paths, remove);
      await exchange(session, { what: `installing ${names.join(", ")}`, names, argv, remove }, run);
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

/** One installation, and what it is about. */
interface Exchange {
  readonly what: string;
  readonly names: readonly string[];
  readonly argv: readonly string[];
  readonly remove: readonly string[];
}

/** What an engine needs may have to change with it: its pins are off meanwhile, and on again then. They may be somebody else's. */
async function exchange(session: HostSession, change: Exchange, run: RunOptions): Promise<void> {
  const { what, names, argv, remove } = change;
  const isEngine = names.some((name) => APK_NAMES.includes(name));
  const pinned = isEngine ? await pinnedOf(session, what, run) : [];
  if (pinned.length > 0) await must(session, "releasing the packages", apkRelease(pinned), run);
  try {
    await must(session, what, argv, run);
  } finally {
    // of one that has gone there is no pin; the failure is the one to tell, and a pin that is gone is drift to the next look
    if (pinned.length > 0) await apk.hold(session, pinned, run).catch(() => {});
  }
  if (remove.length > 0) {
    await mustScript(session, "taking conflicts out of world", FORGET_CONFLICTS, remove, run);
  }
  // the hold is a step of its own; and of files world names the very ones until then
  await must(session, "releasing the packages", apkRelease(names), run);
}

async function pinnedOf(
  session: HostSession,
  what: string,
  { signal }: RunOptions,
): Promise<readonly string[]> {
  const outcome = await session.script(APK_PINNED, DEPENDENCIES, { signal });
  if (outcome.kind !== "exited") throw packageFailure(session, what, outcome);
  const found = outcome.stdout.split("\n").map((line) => line.split("=")[0]);
  return DEPENDENCIES.filter((name) => found.includes(name));
}
