import type { HostSession } from "../../host/session";
import type { Offer } from "./version";
import { parseNeeds } from "./apt-text";
import type { RepositoryFile } from "./package-family";
import { OPEN_PGP, refuseOtherKeyAhead } from "./trusted-key";

/** Of what a preview may wait for altogether. */
const PEEK_S = 2;

/**
 * The package index of a repository that the machine does not know yet, as its own apt would fetch it; what is in it is only
 * shown, so that no signature is needed. `$1` address, `$2` suite, `$3` names with blanks around each, then the components.
 */
const PEEK = `
url=$1 suite=$2 names=$3; shift 3
get() {
  case $1 in file:*) cat -- "/\${1#file:*/}" 2>/dev/null; return ;; esac
  if command -v curl >/dev/null; then curl -fsSL --max-time ${PEEK_S} -- "$1" 2>/dev/null
  else wget -qO- --timeout=${PEEK_S} --tries=1 -- "$1" 2>/dev/null; fi
}
for component; do
  index=$url/dists/$suite/$component/binary-$(dpkg --print-architecture)/Packages
  get "$index.gz" | gzip -dc 2>/dev/null || get "$index"
done | awk -v RS= -v ORS='\\n\\n' -v names="$names" '$1 == "Package:" && index(names, " " $2 " ")'
`;

/**
 * What the repository offers, without adding it to the machine; empty where that cannot be had.
 * @throws SlipwayError engine-install-failed, of a key that will not be trusted
 */
export async function peekAtRepository(
  session: HostSession,
  repository: RepositoryFile,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  const suite = repository.suite ?? (await session.facts({ signal })).os.codename;
  const args = [repository.url, suite, ` ${names.join(" ")} `, ...repository.components];
  const [outcome] = await Promise.all([
    session.script(PEEK, args, { signal }),
    refuseOtherKeyAhead(session, repository, OPEN_PGP, PEEK_S, signal),
  ]);
  return outcome.kind === "exited" ? parsePackages(outcome.stdout, names[0] ?? "") : [];
}

/** The stanzas of a package index as offers; the needs are those of `engine`. */
export function parsePackages(text: string, engine: string): readonly Offer[] {
  const stanzas = text.split(/\n\s*\n/);
  const field = (stanza: string, name: string): string | undefined =>
    new RegExp(`^${name}: *(\\S+)`, "m").exec(stanza)?.[1];
  const own = stanzas.filter((stanza) => field(stanza, "Package") === engine);
  const needs = parseNeeds(own.join("\n\n"));
  return stanzas.flatMap((stanza): readonly Offer[] => {
    const name = field(stanza, "Package");
    const version = field(stanza, "Version");
    if (name === undefined || version === undefined) return [];
    const needed = name === engine ? needs.get(version) : undefined;
    const [conflicts, provides] = [namesOf(stanza, "Conflicts"), namesOf(stanza, "Provides")];
    return [
      {
        ...{ name, version },
        ...(needed === undefined ? {} : { needs: needed }),
        ...(conflicts.length === 0 ? {} : { conflicts }),
        ...(provides.length === 0 ? {} : { provides }),
      },
    ];
  });
}

/** Without those of certain versions: they are of packages that are older than all of ours. */
function namesOf(stanza: string, field: "Conflicts" | "Provides"): readonly string[] {
  const names = new RegExp(`^${field}: *(.+)$`, "m").exec(stanza)?.[1] ?? "";
  return names.split(/, */).filter((name) => /^[a-z0-9][a-z0-9.+-]+$/.test(name));
}
