import type { HostSession } from "../../host/session";
import type { Offer } from "./version";
import { dnfQuestion, parseRepoquery } from "./dnf-text";
import type { RepositoryFile } from "./package-family";
import { OPEN_PGP, refuseOtherKeyAhead } from "./trusted-key";

/** Of what a preview may wait for altogether. */
const PEEK_S = 3;

/**
 * What a repository has that the machine does not know, by its own dnf as whoever we are: what is in it is only shown, so that no
 * signature is needed. `$1` address, then the question. Its lists go to a folder that goes with it.
 */
const PEEK = `
url=$1; shift
lists=$(mktemp -d) || exit 1
trap 'rm -rf -- "$lists"' EXIT
timeout ${PEEK_S} dnf --setopt=cachedir="$lists" --repofrompath=slipway-peek,"$url" --repo=slipway-peek "$@" 2>/dev/null
`;

/**
 * What the repository offers, without adding it to the machine; empty where that cannot be had in time.
 * @throws SlipwayError engine-install-failed, of a key that will not be trusted
 */
export async function peekAtRpms(
  session: HostSession,
  repository: RepositoryFile,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  const [outcome] = await Promise.all([
    session.script(PEEK, [repository.url, ...dnfQuestion(names)], { signal }),
    refuseOtherKeyAhead(session, repository, OPEN_PGP, PEEK_S, signal),
  ]);
  return outcome.kind === "exited" && outcome.code === 0 ? parseRepoquery(outcome.stdout) : [];
}
