import type { HostAccess } from "./host-access";

const NAMED = 2;

/**
 * A resource has one row on the display, whatever the number of its hosts: a live line says which host it speaks of, and which
 * ones are queued behind it. Of a single host there is nothing to add.
 */
export function inRow(host: HostAccess, behind: readonly string[], hosts: number): HostAccess {
  if (hosts < 2) return host;
  const { log, session } = host;
  const queued = behind.length === 0 ? "" : `; queued behind it: ${namesOf(behind)}`;
  const progress = (line: string): void => log.progress(`${session.target}: ${line}${queued}`);
  return { ...host, log: { ...log, progress } };
}

/** `root@b:22, root@c:22 and 3 more` */
function namesOf(targets: readonly string[]): string {
  const more = targets.length - NAMED;
  const named = targets.slice(0, NAMED).join(", ");
  return more > 0 ? `${named} and ${more} more` : named;
}
