import type { HostSession } from "../../host/session";
import { refusePackageFailure } from "./package-failure";
import type { RunOptions } from "./package-family";

const FOLDER = "/run/slipway/former-source";

/** `$1` a folder, then files, the package source's first: copies those that are there, and prints `kept` where the first one is. */
export const KEEP_FILES = `
folder=$1; shift
rm -rf -- "$folder" && mkdir -p -m 0700 -- "$folder" || exit
[ ! -e "$1" ] || echo kept
for file; do [ ! -e "$file" ] || cp -p -- "$file" "$folder/" || exit; done
`;

/** The same arguments: has the files as they were, without those that were not there. */
export const PUT_FILES_BACK = `
folder=$1; shift
for file; do
  if [ -e "$folder/\${file##*/}" ]; then cp -p -- "$folder/\${file##*/}" "$file"; else rm -f -- "$file"; fi || exit
done
rm -rf -- "$folder"
`;

/** What a package source was before another one is written in its place. */
export interface FormerSource {
  /** Puts it back, and says so; undefined where there was none. @throws SlipwayError engine-install-failed, connection-lost */
  putBack(): Promise<string | undefined>;
}

/**
 * Remembers our package source, for the one that comes may be one that cannot be read. `files` are those that are written, its own
 * first.
 * @throws SlipwayError engine-install-failed, connection-lost
 */
export async function formerSource(
  session: HostSession,
  files: readonly string[],
  { signal }: RunOptions,
): Promise<FormerSource> {
  const kept = await session.script(KEEP_FILES, [FOLDER, ...files], { sudo: true, signal });
  refusePackageFailure(session, "keeping the former package source", kept);
  return {
    putBack: async () => {
      if (kept.stdout.trim() !== "kept") return undefined;
      const put = await session.script(PUT_FILES_BACK, [FOLDER, ...files], { sudo: true, signal });
      refusePackageFailure(session, "putting the former package source back", put);
      return "The former package source is there again";
    },
  };
}
