import type { HostSession } from "../../host/session";
import type { Seen } from "../look/observe";
import type { Operation } from "../plan/operation";
import { offersOf } from "../packages/package-file";
import type { PackageFamily } from "../packages/package-family";
import { removalsOf } from "../look/removals";
import { orderOf } from "../plan/removal-needs";
import type { Offer } from "../packages/version";

/** Where a preview asks. */
export interface AskedAhead {
  readonly session: HostSession;
  readonly family: PackageFamily;
  readonly signal: AbortSignal;
}

/** By the lists that the host has; of a repository that it does not know yet, by a look at that. */
export async function offersAhead(
  seen: Seen,
  { session, family, signal }: AskedAhead,
): Promise<readonly Offer[]> {
  const { names, followers, repository, wish } = seen.desired;
  if (wish.source.kind === "files") return offersOf(wish.source.files);
  const asked = [...names, ...followers];
  if (repository === undefined || isKnown(seen)) return family.offers(session, asked, signal);
  return family.peek(session, repository, asked, signal);
}

/**
 * What the installation of a plan would take off the machine. Its package manager cannot try packages that it does not know yet;
 * of those it is known whom they do not stand beside, and whom that would take along it can say.
 */
export async function removalsAhead(
  plan: readonly Operation[],
  offers: readonly Offer[],
  seen: Seen,
  { session, family, signal }: AskedAhead,
): Promise<readonly string[]> {
  if (isKnown(seen)) return removalsOf(orderOf(plan), session, family, signal);
  const install = plan.find((operation) => operation.kind === "install");
  if (install === undefined) return [];
  const coming = offers.filter(({ name, version }) =>
    install.packages.some((choice) => choice.name === name && choice.version === version),
  );
  const rivals = [...new Set(coming.flatMap(({ conflicts = [] }) => conflicts))].filter(
    (name) => name in seen.observed.packages.installed && !install.remove.includes(name),
  );
  if (rivals.length === 0) return [];
  // who needs one that is provided goes on with that, as a rule; who does not is seen when the source is there
  const provided = coming.flatMap(({ provides = [] }) => provides);
  const lost = rivals.filter((name) => !provided.includes(name));
  const trial: Operation = { ...install, packages: [], remove: [...install.remove, ...lost] };
  const along = lost.length === 0 ? [] : await removalsOf(orderOf([trial]), session, family, signal);
  return [...new Set([...rivals, ...along])].sort();
}

function isKnown({ desired: { repository }, observed: { packages } }: Seen): boolean {
  return (
    repository === undefined ||
    packages.sourceFile === repository.content ||
    packages.otherSourceFiles.length > 0
  );
}
