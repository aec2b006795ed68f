import type { RepositoryFile } from "../packages/package-family";
import type { EngineWish, Former } from "./wish";

/** What is wanted of the machine, and what the program wanted of it the last time. */
export interface Desired {
  readonly wish: EngineWish;
  /** The packages of the engine, the one that carries the version first, and what comes with them. */
  readonly names: readonly string[];
  readonly dependencies: readonly string[];
  /** What goes along at versions that fit where it is installed, or the engine's package asks for it. */
  readonly followers: readonly string[];
  readonly repository: RepositoryFile | undefined;
  /** What the last run applied; undefined when this machine is new to us. */
  readonly former: Former | undefined;
}
