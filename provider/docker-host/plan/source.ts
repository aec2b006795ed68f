import type { Desired } from "../wish/desired";
import type { ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import type { NeededSource, RepositoryFile } from "../packages/package-family";
import { readSigningKeys } from "../packages/signing-key";
import { isKeyText } from "../packages/source";
import { canonicalJson } from "../../values";

/** What has to be there before the package source can be asked; empty when no package is to be installed. */
export function planSource(desired: Desired, observed: ObservedEngine): readonly Operation[] {
  const { wish, repository } = desired;
  const plan: Operation[] = [];
  if (observed.packages.interrupted !== "no") {
    plan.push({ kind: "repair-packages", cause: "an earlier installation was cut off" });
  }
  plan.push(...toolsFor(repository, observed), ...sourceItself(repository, observed));
  // uploaded packages are for machines that reach no source
  if (wish.source.kind === "files") return plan;
  plan.push({
    kind: "refresh-lists",
    needed: neededSource(repository, observed),
    cause: `${wish.dockerVersion} is looked up in them`,
  });
  return plan;
}

/**
 * What brings the package source to what the program names, where no package is to come. Engines that came without our source
 * have none written for them: only a file of ours that says another thing, or another wish than the last time, asks for that.
 */
export function planOtherSource(
  { wish, repository, former }: Desired,
  observed: ObservedEngine,
): readonly Operation[] {
  const isOurs = observed.packages.sourceFile !== undefined;
  const isOtherWish =
    former?.source !== undefined && canonicalJson(former.source) !== canonicalJson(wish.source);
  const steps = isOurs || isOtherWish ? sourceItself(repository, observed) : [];
  return steps.some(({ kind }) => kind === "write-source")
    ? [...toolsFor(repository, observed), ...steps]
    : steps;
}

function toolsFor(
  repository: RepositoryFile | undefined,
  { packages: { missingTools: names } }: ObservedEngine,
): readonly Operation[] {
  if (repository === undefined || repository.url.startsWith("file:") || names.length === 0) return [];
  return [
    { kind: "refresh-lists", needed: { kind: "distribution" }, cause: "tools are missing" },
    { kind: "install-tools", names, cause: "the package source is fetched with them" },
  ];
}

function sourceItself(
  repository: RepositoryFile | undefined,
  observed: ObservedEngine,
): readonly Operation[] {
  if (repository === undefined) {
    return observed.packages.sourceFile === undefined
      ? []
      : [{ kind: "remove-source", cause: "the program names another one" }];
  }
  const cause = sourceCause(repository, observed);
  return cause === undefined ? [] : [{ kind: "write-source", repository, cause }];
}

function neededSource(repository: RepositoryFile | undefined, { packages }: ObservedEngine): NeededSource {
  if (repository === undefined) return { kind: "distribution" };
  const { url } = repository;
  const isOthers = packages.sourceFile === undefined && packages.otherSourceFiles.length > 0;
  return isOthers ? { kind: "others", url, files: packages.otherSourceFiles } : { kind: "ours", url };
}

function sourceCause(repository: RepositoryFile, { packages }: ObservedEngine): string | undefined {
  if (packages.sourceFile === undefined) {
    // two files that name one repository with different keys are an error to apt
    return packages.otherSourceFiles.length > 0 ? undefined : "the host does not know it";
  }
  if (packages.sourceFile !== repository.content) return "it has changed";
  const wanted = fingerprintsOf(repository);
  const there = packages.keyFingerprints;
  if (wanted.length === 0) return undefined;
  if (there.length === 0) return "its key is missing";
  const isOther =
    there.some((each) => !wanted.includes(each)) || wanted.some((each) => !there.includes(each));
  return isOther ? "its key has changed" : undefined;
}

/** Those of the keys that are to be trusted; none where the machine is to know the key. */
function fingerprintsOf({ key, keyFingerprint }: RepositoryFile): readonly string[] {
  if (key === undefined) return [];
  if (keyFingerprint !== undefined) return [keyFingerprint];
  return isKeyText(key) ? readSigningKeys(key) : [];
}
