import type { HostSession } from "../../host/session";
import type { InstallOrder, PackageFamily } from "../packages/package-family";

/** What an installation would take off the machine beside what it names, by its package manager's word. Changes nothing. */
export async function removalsOf(
  order: InstallOrder | undefined,
  session: HostSession,
  family: PackageFamily,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return order === undefined ? [] : family.removals(session, order, signal);
}
