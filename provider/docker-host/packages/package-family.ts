import type { CommandOptions, HostSession } from "../../host/session";
import type { HostFacts } from "../../host/facts";
import type { PackageFormat } from "./package-file";
import type { EngineSource, Repository } from "./source";
import type { Offer } from "./version";

/** What a package family adds to a look: which distributions it serves, and sh text that prints its lines. */
export interface FamilyLook {
  readonly distributions: readonly string[];
  readonly look: string;
}

/** How one family of distributions installs Docker. Nothing up to `repository` touches the host. */
export interface PackageFamily extends FamilyLook {
  readonly kind: "apt" | "dnf" | "apk";
  /** Packages that bring an engine, or what looks like one. */
  readonly engines: readonly string[];
  /** The packages of an engine from this source; the one that carries the version first. */
  names(source: EngineSource, facts: HostFacts): readonly string[];
  /** What the package manager brings along with them, and what is to be held as they are. */
  dependencies(source: EngineSource): readonly string[];
  /** The package repository behind a source; undefined when it is the distribution's own. */
  repository(source: EngineSource, facts: HostFacts): RepositoryFile | undefined;
  /** What the host's sources offer of these packages, best first. */
  offers(session: HostSession, names: readonly string[], signal: AbortSignal): Promise<readonly Offer[]>;
  /**
   * What a repository offers that the host does not know yet, without adding it; empty where that cannot be had in time.
   * @throws SlipwayError engine-install-failed, of a key that will not be trusted
   */
  peek(
    session: HostSession,
    repository: RepositoryFile,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Offer[]>;
  /**
   * What else would go when these come, or when nothing comes and these go, as the machine's own package manager has it. Changes
   * nothing.
   * @throws SlipwayError engine-install-failed, connection-lost
   */
  removals(session: HostSession, order: InstallOrder, signal: AbortSignal): Promise<readonly string[]>;
  repair(session: HostSession, run: RunOptions): Promise<void>;
  addRepository(session: HostSession, repository: RepositoryFile, run: RunOptions): Promise<void>;
  removeRepository(session: HostSession, run: RunOptions): Promise<void>;
  /**
   * Reads the lists anew. `needed` is the source that has to answer, whatever others do; "own" when only that one did.
   * @throws SlipwayError engine-install-failed, connection-lost
   */
  refresh(session: HostSession, run: RunOptions, needed: NeededSource): Promise<"all" | "own">;
  install(session: HostSession, order: InstallOrder, run: RunOptions): Promise<void>;
  readonly uploads: UploadedPackages;
  remove(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
  hold(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
  unhold(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
}

/** Where the packages to come are looked up. */
export type NeededSource =
  | { readonly kind: "ours"; readonly url: string }
  /** Named by files of somebody else. */
  | { readonly kind: "others"; readonly url: string; readonly files: readonly string[] }
  | { readonly kind: "distribution" };

/** A repository as files on the host. */
export interface RepositoryFile extends Repository {
  /** The whole text of the source file. */
  readonly content: string;
}

/** One package to install; without a version the best on offer. */
export interface PackageChoice {
  readonly name: string;
  readonly version?: string;
}

export interface InstallOrder {
  readonly install: readonly PackageChoice[];
  readonly remove: readonly string[];
  readonly allowDowngrade: boolean;
}

/** How a package manager takes files that lie on the machine. */
export interface UploadedPackages {
  readonly format: PackageFormat;
  /** What is a part of an engine; any other package is one that an engine needs. */
  readonly parts: readonly string[];
  /** sh text: `$@` are files; prints the package manager's own `NAME VERSION yes|no` of each, yes where one of that name is installed. */
  readonly describe: string;
  /** All at once and without any network, or nothing: what they need and is not there ends it before anything is changed. */
  install(session: HostSession, order: FileOrder, run: RunOptions): Promise<void>;
}

/** Files that lie on the machine. */
export interface FileOrder extends Pick<InstallOrder, "remove" | "allowDowngrade"> {
  readonly paths: readonly string[];
  /** Their packages. */
  readonly names: readonly string[];
}

export interface RunOptions extends Pick<CommandOptions, "onLine"> {
  readonly signal: AbortSignal;
}
