import type { DiffResult, HandlerContext, Properties } from "../handler";
import type { Connection } from "../host/connection";
import { sameAddress } from "../host/machine/same-machine";
import { hasUnknown, isObject } from "../values";
import { claimMachine } from "./claims";
import { claimedBy } from "./claimed-by";
import { certainNeeds, refuseWithoutConsent } from "./consent";
import { satisfies } from "./version";
import { wishOf } from "./wish";

/**
 * What preview can know of a change. Whether another address is another machine only a look there can tell: update has
 * that look. Where Docker is to be removed from a machine that is left it must be a replacement, because Pulumi then
 * removes after everything else has moved.
 * @throws SlipwayError engine-consent, so that the preview fails for what the update would refuse
 */
export function diffHost(olds: Properties, news: Properties, { urn, log }: HandlerContext): DiffResult {
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
  const before = wishOf(olds).wish?.daemonConfig ?? wish.daemonConfig;
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
