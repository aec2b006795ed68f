import type { DiffResult, HandlerContext, Properties } from "../handler";
import type { Connection } from "../host/connection";
import { sameAddress } from "../host/machine/same-machine";
import { hasUnknown, isObject } from "../values";
import { claimMachine } from "./fleet/claims";
import { claimedBy } from "./fleet/claimed-by";
import { certainNeeds, refuseWithoutConsent } from "./plan/consent";
import { satisfies } from "./packages/version";
import { wishOf } from "./wish/wish";

/**
 * What preview can know of a change. Whether another address is another machine only a look there can tell: update has
 * that look. Where Docker is to be removed from a machine that is left it must be a replacement, because Pulumi then
 * removes after everything else has moved.
 * @throws SlipwayError engine-consent, so that the preview fails for what the update would refuse
 */
export function diffHost(
  olds: Properties,
  news: Properties,
  { urn, log, isApplying = false }: HandlerContext,
): DiffResult {
  const target = String(Array.isArray(olds.targets) ? olds.targets[0] : "the host");
  if (isOtherAddress(olds.connection, news.connection)) {
    if (olds.uninstallOnDelete === true) {
      log.keep(`Docker will be removed from ${target}, unless the new address is the same machine`);
      return { changes: true, replaces: ["connection"] };
    }
    log.keep(
      `if the new address is the same machine as ${target}, nothing is touched; another one is set up`,
    );
    return { changes: undefined };
  }
  claimMachine(urn, claimedBy(olds, news.abandonUnreachable === true));
  const { wish } = hasUnknown(news) ? { wish: undefined } : wishOf(news);
  if (wish === undefined) return { changes: undefined };
  const former = wishOf(olds).wish?.daemonConfig ?? wish.daemonConfig;
  // the engine judges a key before anybody is asked to allow a restart for it: the update does, and says so
  const before = isApplying ? wish.daemonConfig : former;
  refuseWithoutConsent(target, wish, certainNeeds(olds, wish, before), "Nothing was changed");
  const drifted = Array.isArray(olds.drift) && olds.drift.length > 0;
  const isWanted = typeof olds.version === "string" && satisfies(olds.version, wish.dockerVersion);
  return { changes: drifted || !isWanted ? true : undefined };
}

/** By the rule of `sameAddress`, as far as the address is known by now. */
function isOtherAddress(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after)) return false;
  if (hasUnknown([after.host, after.port, after.sshConfig])) return false;
  return !sameAddress(before as unknown as Connection, after as unknown as Connection);
}
