import type { Desired } from "./desired";
import type { ObservedEngine } from "./observed";
import type { Operation } from "./operation";
import type { NeededSource, RepositoryFile } from "./packages/package-family";

/** What has to be there before the package source can be asked; empty when no package is to be installed. */
export function planSource({ wish, repository }: Desired, observed: ObservedEngine): readonly Operation[] {
  const plan: Operation[] = [];
  const { packages } = observed;
  const cause = repository === undefined ? undefined : sourceCause(repository, observed);
  if (packages.interrupted !== "no") {
    plan.push({ kind: "repair-packages", cause: "an earlier installation was cut off" });
  }
  if (repository !== undefined) {
    const names = repository.url.startsWith("file:") ? [] : packages.missingTools;
    if (names.length > 0) {
      plan.push({ kind: "refresh-lists", needed: { kind: "distribution" }, cause: "tools are missing" });
      plan.push({ kind: "install-tools", names, cause: "the package source is fetched with them" });
    }
    if (cause !== undefined) plan.push({ kind: "write-source", repository, cause });
  }
  if (repository === undefined && packages.sourceFile !== undefined) {
    plan.push({ kind: "remove-source", cause: "the program names another one" });
  }
  // uploaded packages are for machines that reach no source
  if (wish.source.kind === "files") return plan;
  plan.push({
    kind: "refresh-lists",
    needed: neededSource(repository, observed),
    cause: `${wish.dockerVersion} is looked up in them`,
  });
  return plan;
}

function neededSource(repository: RepositoryFile | undefined, { packages }: ObservedEngine): NeededSource {
  if (repository === undefined) return { kind: "distribution" };
  const { url } = repository;
  const isOthers = packages.sourceFile === undefined && packages.otherSourceFiles.length > 0;
  return isOthers ? { kind: "others", url, files: packages.otherSourceFiles } : { kind: "ours", url };
}

function sourceCause(repository: RepositoryFile, { packages }: ObservedEngine): string | undefined {
  const { keyFingerprint, key } = repository;
  if (packages.sourceFile === undefined) {
    // two files that name one repository with different keys are an error to apt
    return packages.otherSourceFiles.length > 0 ? undefined : "the host does not know it";
  }
  if (packages.sourceFile !== repository.content) return "it has changed";
  if (key === undefined || packages.keyFingerprints.length === 0)
    return key === undefined ? undefined : "its key is missing";
  const isOther =
    keyFingerprint !== undefined && packages.keyFingerprints.some((each) => each !== keyFingerprint);
  return isOther ? "its key has changed" : undefined;
}
