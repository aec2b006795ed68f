import type { HandlerContext, Properties } from "../../handler";
import type { Connection } from "../../host/connection";
import { sameAddress } from "../../host/machine/same-machine";
import { canonicalJson, hasUnknown, isObject } from "../../values";
import { foretell, NOT_SEEN, type Outlook } from "./foretell";
import type { PackageFile } from "../packages/package-file";
import { isSameOnHost } from "../wish/same-on-host";
import { DOCKER_PACKAGES } from "../packages/source";
import { type EngineWish, formerWish, wishOf } from "../wish/wish";

/**
 * Preview calls no create: what it would do on a new machine is said by check. The first check of a real up looks, too, for
 * nothing tells it from a preview's before something is created; its login is not wasted, since create goes on over the
 * same connection.
 */
export async function foretellCreate(news: Properties, context: HandlerContext): Promise<void> {
  if (hasUnknown(news)) return;
  const { connection, wish } = wishOf(news);
  if (connection === undefined || wish === undefined) return;
  const otherwise = `${wanted(wish)}; what is there is not known`;
  await foretell({ connection, wish, former: undefined, olds: {}, otherwise }, context);
}

/** The same of an update, where the machine itself is to change; returns what it came to. */
export async function foretellUpdate(
  olds: Properties,
  news: Properties,
  context: HandlerContext,
): Promise<Outlook> {
  if (hasUnknown(news) || (isSameOnHost(olds, news) && !isOtherWay(olds.connection, news.connection)))
    return NOT_SEEN;
  const { connection, wish } = wishOf(news);
  if (connection === undefined || wish === undefined) return NOT_SEEN;
  const otherwise = `${recorded(olds)}; ${wanted(wish)}`;
  return foretell({ connection, wish, former: formerWish(olds), olds, otherwise }, context);
}

/** An update that only takes another way to the same address still has to log in there. */
function isOtherWay(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after) || canonicalJson(before) === canonicalJson(after)) return false;
  return sameAddress(before as unknown as Connection, after as unknown as Connection);
}

function wanted({ dockerVersion, source }: EngineWish): string {
  const from = {
    docker: `Docker's own packages (${DOCKER_PACKAGES.join(", ")})`,
    distro: "the distribution's packages",
    custom: source.kind === "custom" ? `${source.url} (${source.packages.join(", ")})` : "",
    files: source.kind === "files" ? `uploaded files (${source.files.map(titleOf).join(", ")})` : "",
  }[source.kind];
  return `Docker ${dockerVersion} is wanted, from ${from}`;
}

function titleOf({ name, version }: PackageFile): string {
  return `${name} ${version}`;
}

/** What the last look saw, drift included. */
function recorded({ version, packages, drift }: Properties): string {
  const names = isObject(packages) ? Object.entries(packages) : [];
  const list = names.map(([name, value]) => `${name} ${String(value)}`).join(", ");
  const ran =
    typeof version === "string" && version !== "" ? `Docker ${version} ran there` : "no Docker ran there";
  const due = Array.isArray(drift) && drift.length > 0 ? `; due then: ${drift.join("; ")}` : "";
  return `${ran} when it was last seen${list === "" ? "" : ` (${list})`}${due}`;
}
