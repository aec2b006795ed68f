import { isSlipwayError, type SlipwayError } from "../errors";
import type { DiffResult, HandlerContext, Properties } from "../handler";
import type { Connection } from "../host/connection";
import { sameAddress } from "../host/machine/same-machine";
import { hasUnknown, isObject } from "../values";
import { claims } from "./fleet/claims";
import { claimedBy } from "./fleet/claimed-by";
import { certainNeeds, refuseWithoutConsent } from "./plan/consent";
import { satisfies } from "./packages/version";
import type { Outlook } from "./preview/foretell";
import { wishOf } from "./wish/wish";

/**
 * What the state can tell of a change. Whether another address is another machine only a look there can tell: update has
 * that look. Where Docker is to be removed from a machine that is left it must be a replacement, because Pulumi then
 * removes after everything else has moved.
 */
export function diffHost(olds: Properties, news: Properties, { urn, log }: HandlerContext): DiffResult {
  const target = recordedTarget(olds);
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
  claims.claim(urn, claimedBy(olds, news.abandonUnreachable === true));
  const { wish } = hasUnknown(news) ? { wish: undefined } : wishOf(news);
  if (wish === undefined) return { changes: undefined };
  const drifted = Array.isArray(olds.drift) && olds.drift.length > 0;
  const isWanted = typeof olds.version === "string" && satisfies(olds.version, wish.dockerVersion);
  return { changes: drifted || !isWanted ? true : undefined };
}

/** The consent that is missing as far as the state tells; it may be older than the machine. */
export function refusalByState(olds: Properties, news: Properties): SlipwayError | undefined {
  if (hasUnknown(news) || isOtherAddress(olds.connection, news.connection)) return undefined;
  const { wish } = wishOf(news);
  if (wish === undefined) return undefined;
  const former = wishOf(olds).wish?.daemonConfig ?? wish.daemonConfig;
  try {
    refuseWithoutConsent(recordedTarget(olds), wish, certainNeeds(olds, wish, former), "Nothing was changed");
    return undefined;
  } catch (error) {
    if (isSlipwayError(error, "engine-consent")) return error;
    throw error;
  }
}

/**
 * What a preview fails for. Where the machine was looked at, that decides: the state cannot know what was done there since, and to
 * allow what will not be done all the same is of no use.
 */
export function refusalAhead(byState: SlipwayError | undefined, outlook: Outlook): SlipwayError | undefined {
  if (byState === undefined) return undefined;
  switch (outlook.kind) {
    case "refused":
      return outlook.error;
    case "seen":
      return outlook.missing === undefined ? undefined : byState;
    case "not seen":
      return byState;
  }
}

function recordedTarget({ targets }: Properties): string {
  return String(Array.isArray(targets) ? targets[0] : "the host");
}

/** By the rule of `sameAddress`, as far as the address is known by now. */
function isOtherAddress(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after)) return false;
  if (hasUnknown([after.host, after.port, after.sshConfig])) return false;
  return !sameAddress(before as unknown as Connection, after as unknown as Connection);
}
