import { LABEL } from "../container/labels";
import { SlipwayError } from "../errors";
import type { HandlerContext } from "../handler";
import { isAcmeName } from "../proxy/acme-name";
import { orderCertificates } from "../proxy/order-certificates";
import { stripControl } from "../secret";
import { hasAcme } from "./acme-fields";
import type { Desired } from "./desired";
import { entriesOf } from "./files";
import type { ProxyInputs } from "./inputs";
import type { ProxyAccess, ProxyFound } from "./observe";

/**
 * Makes sure that the image's HAProxy has an ACME client, where one is wanted; asked of the image itself unless it runs.
 * @throws SlipwayError proxy-failed: nothing was touched then
 */
export async function mustHaveAcmeClient(
  { session, signal }: ProxyAccess,
  desired: Desired,
  { live, folder }: ProxyFound,
): Promise<void> {
  if (desired.tls.kind !== "acme") return;
  const runs = live?.labels[LABEL.specHash] === desired.specHash ? folder?.version : undefined;
  const options = ["--rm", "--network", "none", "--label", "slipway.proxy-check=true"];
  const argv = ["docker", "run", ...options, "--entrypoint", "haproxy", desired.image, "-v"];
  const shown = runs ?? (await session.exec(argv, { sudo: true, signal, timeoutMs: 60_000 })).stdout;
  const match = /(\d+)\.(\d+)/.exec(runs ?? /version \S+/.exec(shown)?.[0] ?? "");
  const version = match ? ([Number(match[1]), Number(match[2])] as const) : undefined;
  if (version !== undefined && hasAcme(version)) return;
  const is = version === undefined ? "does not tell its version" : `is ${version.join(".")}`;
  throw new SlipwayError({
    code: "proxy-failed",
    what: `setting up the proxy "${desired.name}"`,
    host: session.target,
    why: `tls.acme needs HAProxy 3.2 or newer, and the one in ${stripControl(desired.image)} ${is}`,
    left: "Nothing was touched",
    next: 'Give another `image`, such as "haproxy:3.2"',
  });
}

/** What preview says of a proxy that begins to get certificates, elsewhere too, or ends. Empty text where nothing changes. */
export function foreseeAcme(
  before: Pick<ProxyInputs, "settings">,
  after: Pick<ProxyInputs, "settings">,
): string {
  const from = before.settings.acme?.directory;
  const to = after.settings.acme?.directory;
  if (from === to) return "";
  if (to === undefined) return `tls: no certificates are got from ${from ?? ""} any more`;
  return `tls: a certificate for each host name of the routes is got from ${to} (ACME); port 80 of each has to lead here. What is shown now stays until there is one`;
}

/** Gets the certificates that are missing, and says which names get none. True when something was asked for. */
export async function getCertificates(
  access: ProxyAccess,
  { name, settings }: Pick<ProxyInputs, "name" | "settings">,
  { folder }: ProxyFound,
  { log }: HandlerContext,
): Promise<boolean> {
  if (settings.acme === undefined || folder === undefined) return false;
  const { target } = access.session;
  const without = entriesOf(folder).flatMap(({ protocol, hosts }) => (protocol === "http" ? hosts : []));
  for (const host of without.filter((each) => !isAcmeName(each)))
    log.warn(
      `${target}: no ACME server gives a certificate for ${host} by HTTP-01, so a self-signed one is shown there: name hosts one by one, or give \`certificates\``,
    );
  if (folder.placeholders.length === 0) return false;
  if (settings.httpPort !== 80)
    log.warn(
      `${target}: the ACME server asks on port 80 of each name, and httpPort is ${settings.httpPort}: something has to lead there`,
    );
  await orderCertificates({ ...access, log }, name, folder.placeholders);
  return true;
}
