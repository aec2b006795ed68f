import type { Log } from "../log";
import { INSTALL_KEEPER_SCRIPT, REMOVE_KEEPER_SCRIPT } from "./acme-script";
import { type ProxyHost, runOnProxy } from "./change";

/**
 * Lets the host save certificates from an ACME server by a timer; its program is a file of the proxy's. Says where it cannot.
 * @throws SlipwayError command-failed, connection-lost
 */
export async function installKeeper(host: ProxyHost & { readonly log: Log }, proxy: string): Promise<void> {
  const said = await runOnProxy(host, proxy, "installing the timer of", INSTALL_KEEPER_SCRIPT, [], {});
  if (said.trim() !== "without") return;
  host.log.warn(
    `${host.session.target} has no systemd, so renewed certificates are saved only when a pulumi operation looks: a restart of the proxy before that gets them anew`,
  );
}

/** Takes the timer away. Nothing to take is no mistake. */
export async function removeKeeper(host: ProxyHost, proxy: string): Promise<void> {
  await runOnProxy(host, proxy, "removing the timer of", REMOVE_KEEPER_SCRIPT, [], {});
}
