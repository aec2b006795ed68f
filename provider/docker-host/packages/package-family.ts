import type { CommandOptions, HostSession } from "../../host/session";
import type { HostFacts } from "../../host/facts";
import type { FamilyLook } from "../look-script";
import type { EngineSource, Repository } from "../source";
import type { Offer } from "../version";

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
  /** What a repository offers that the host does not know yet; absent where that cannot be read without adding it. */
  readonly peek?: (
    session: HostSession,
    repository: RepositoryFile,
    names: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly Offer[]>;
  repair(session: HostSession, run: RunOptions): Promise<void>;
  addRepository(session: HostSession, repository: RepositoryFile, run: RunOptions): Promise<void>;
  removeRepository(session: HostSession, run: RunOptions): Promise<void>;
  /** Reads the lists anew; `source` is the address of our own one that has to answer, whatever others do. */
  refresh(session: HostSession, run: RunOptions, source?: string): Promise<void>;
  install(session: HostSession, order: InstallOrder, run: RunOptions): Promise<void>;
  remove(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
  hold(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
  unhold(session: HostSession, names: readonly string[], run: RunOptions): Promise<void>;
}

/** A repository as files on the host. */
export interface RepositoryFile extends Repository {
  /** The whole text of the source file. */
  readonly content: string;
}

/** `name=version` where a version is given, else the best on offer. */
export interface InstallOrder {
  readonly install: readonly { readonly name: string; readonly version?: string }[];
  readonly remove: readonly string[];
  readonly allowDowngrade: boolean;
}

export interface RunOptions extends Pick<CommandOptions, "onLine"> {
  readonly signal: AbortSignal;
}
