import type { CommandOutcome, HostSession } from "../../host/session";
import { dnfTrial } from "./dnf-text";
import { packageFailure } from "./package-failure";
import type { InstallOrder } from "./package-family";

const TRIAL_MS = 120_000;

/** Of a table of dnf: a section is a line to its colon, a row begins with one blank. */
const SECTION = /^([A-Z][^:]*):$/;
const ROW = /^ (\S+)/;
/** Below its row, what goes for it. dnf 4 puts name and architecture together, dnf 5 has columns. */
const REPLACED = /^ +replacing +(\S+) +(\S+)(?: +\S.*)?$/;
/** What comes or goes at all. */
const RESOLVED = /^(?:Installing|Upgrading|Downgrading|Reinstalling|Removing)/;

/**
 * What else would go with an installation or a removal, as dnf and rpm have it. Changes nothing.
 * @throws SlipwayError engine-install-failed, connection-lost
 */
export async function dnfRemovals(
  session: HostSession,
  { install, remove }: InstallOrder,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const going = install.length === 0 ? [] : await goingFor(session, install, signal);
  const left = remove.filter((name) => !going.includes(name));
  const along = await needing(session, left, signal);
  return [...new Set([...going, ...along])].filter((name) => !remove.includes(name)).sort();
}

async function goingFor(
  session: HostSession,
  install: InstallOrder["install"],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const options = { sudo: true, timeoutMs: TRIAL_MS, signal };
  // at once, for a preview has little time: what counts is the first where it can be done that way
  const trials = await Promise.all(
    [false, true].map((mayErase) => session.exec(dnfTrial(install, mayErase), options)),
  );
  for (const outcome of trials) {
    // half an answer would be taken for one that removes less
    if (outcome.kind !== "exited") throw packageFailure(session, "trying the installation", outcome);
    const going = parseTransaction(outcome.stdout);
    if (going !== undefined) return going;
  }
  return []; // one that cannot be done is told by the run itself, with its reasons
}

/** Who needs one of the packages, and would go with it. */
async function needing(
  session: HostSession,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const options = { sudo: true, timeoutMs: TRIAL_MS, signal };
  const outcome = await session.exec(["rpm", "-e", "--test", "--", ...names], options);
  if (outcome.kind === "exited" && outcome.code === 0) return [];
  const needers = neederNames(outcome);
  if (needers.length === 0) throw packageFailure(session, "trying the removal", outcome);
  return needers;
}

/**
 * The names that go, of `dnf --assumeno`'s table: removed ones, and those that something new replaces. Undefined where there is no
 * table, for what is asked cannot be done, or is done.
 */
export function parseTransaction(text: string): readonly string[] | undefined {
  const going: string[] = [];
  let section = "";
  let row = "";
  let isResolved = false;
  for (const line of text.split("\n")) {
    const title = SECTION.exec(line)?.[1];
    const [, replaced, next] = REPLACED.exec(line) ?? [];
    const name = ROW.exec(line)?.[1];
    if (title !== undefined) {
      section = title;
      isResolved ||= RESOLVED.test(title);
    } else if (replaced !== undefined) {
      const isOfDnf5 = next !== undefined && /^[a-z]/.test(next);
      const old = isOfDnf5 ? replaced : replaced.replace(/\.[a-z0-9_]+$/, "");
      if (old !== row) going.push(old);
    } else if (name !== undefined) {
      row = name;
      if (section.startsWith("Removing")) going.push(name);
    }
  }
  return isResolved ? [...new Set(going)] : undefined;
}

/** Of `rpm -e --test`: `\tREQUIREMENT is needed by (installed) NAME-VERSION-RELEASE.ARCH`. */
function neederNames(outcome: CommandOutcome): readonly string[] {
  if (outcome.kind !== "exited") return [];
  const found = [...outcome.stderr.matchAll(/^\t.* (\S+)-[^-\s]+-[^-\s]+$/gm)];
  return [...new Set(found.map(([, name = ""]) => name))];
}
