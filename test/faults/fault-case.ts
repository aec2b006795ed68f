import type { Site } from "./site";

/** One thing that goes wrong, done on a lab host and judged. */
export interface FaultCase {
  /** Unique; what `--grep` looks at. */
  readonly name: string;
  /** What is done, for the matrix. */
  readonly did: string;
  /** One of the dozen that CI runs. */
  readonly quick?: true;
  /** The engine has `live-restore`. */
  readonly liveRestore?: true;
  /** The engine's files are on a file system of their own, and a small one. */
  readonly smallDisk?: true;
  /** An EdgeProxy stands on the host. */
  readonly edge?: true;
  /** Gives what was seen, in a few words; throws what broke. */
  run(site: Site): Promise<string>;
}
