import { isIPv6 } from "node:net";
import type { BridgedOrder, CopyRelay, PublishedBinding, SwitchCopy } from "./switch-order";

/** What is given to `iptables-restore -n` and `ip6tables-restore -n`; empty where that family has no rule. */
export interface RuleTexts {
  readonly rules4: string;
  readonly rules6: string;
  readonly count4: number;
  readonly count6: number;
}

/** The comment that every rule of ours carries; the rules are found again by it alone. */
function ruleComment(service: string): string {
  return `slipway:${service}`;
}

/** The rules that send new connections for the service's ports to its copy, each family one transaction. */
export function ruleTexts(order: BridgedOrder): RuleTexts {
  const { copy } = order.way;
  const rules4 = order.ports.flatMap((port) =>
    isIPv6(port.hostIp) ? [] : rulesOf(order, port, v4(copy, port)),
  );
  const rules6 = order.ports.flatMap((port) => (covers6(port) ? rulesOf(order, port, v6(copy, port)) : []));
  return {
    rules4: transaction(rules4),
    rules6: transaction(rules6),
    count4: rules4.length,
    count6: rules6.length,
  };
}

/** One family's words for one port. */
interface Family {
  readonly any: string;
  readonly loopback: string;
  readonly isLoopback: (address: string) => boolean;
  /** Where connections from outside, and of the host's own addresses, go; undefined: there is no way. */
  readonly target: string | undefined;
  /** Where connections from containers go, that Docker would keep apart from the copy's network. */
  readonly bridgeTarget: string | undefined;
  /** The port on the loopback address; undefined without a docker-proxy there. */
  readonly loopbackPort: number | undefined;
  /** Without docker-proxy, what comes from the host or the copy's own network needs another source address. */
  readonly masquerade: { readonly address: string; readonly subnet: string | undefined } | undefined;
}

function v4(copy: SwitchCopy, port: PublishedBinding): Family {
  const relay = relayOf(copy, port);
  return {
    any: "0.0.0.0",
    loopback: "127.0.0.0/8",
    isLoopback: (address) => address.startsWith("127."),
    target: `${copy.address}:${port.container}`,
    bridgeTarget: copy.proxy && relay ? `${copy.gateway}:${relay.gateway}` : undefined,
    loopbackPort: copy.proxy ? relay?.loopback : undefined,
    masquerade: copy.proxy ? undefined : { address: `${copy.address}/32`, subnet: copy.subnet },
  };
}

function v6(copy: SwitchCopy, port: PublishedBinding): Family {
  const relay = relayOf(copy, port);
  const relayed =
    copy.proxy && copy.host6 !== undefined && relay?.host6 !== undefined
      ? `[${copy.host6}]:${relay.host6}`
      : undefined;
  const direct = copy.address6 === undefined ? undefined : `[${copy.address6}]:${port.container}`;
  return {
    any: "::",
    loopback: "::1/128",
    isLoopback: (address) => address === "::1",
    target: direct ?? relayed,
    // without an address of its own the copy is reached by relay from everywhere: no rule for each bridge
    bridgeTarget: direct === undefined ? undefined : relayed,
    loopbackPort: copy.proxy ? relay?.loopback6 : undefined,
    masquerade:
      copy.proxy || copy.address6 === undefined
        ? undefined
        : { address: `${copy.address6}/128`, subnet: undefined },
  };
}

function rulesOf(order: BridgedOrder, port: PublishedBinding, family: Family): readonly string[] {
  const { any, loopback, isLoopback, target, bridgeTarget, loopbackPort, masquerade } = family;
  const { copy } = order.way;
  const match = `-p ${port.protocol} -m ${port.protocol} --dport ${port.host}`;
  const comment = `-m comment --comment ${ruleComment(order.service)}`;
  const onLoopback = isLoopback(port.hostIp);
  const everywhere = port.hostIp === "" || port.hostIp === any;
  const destination = everywhere ? "-m addrtype --dst-type LOCAL" : `-d ${port.hostIp}`;
  const redirect = (to: string): string =>
    `-I OUTPUT 1 ${match} -d ${to} ${comment} -j REDIRECT --to-ports ${loopbackPort ?? 0}`;
  if (onLoopback && loopbackPort !== undefined) return [redirect(port.hostIp)];
  const rules: string[] = [];
  if (everywhere && loopbackPort !== undefined) rules.push(redirect(loopback));
  if (target === undefined) return rules;
  const others = everywhere && loopbackPort !== undefined ? `! -d ${loopback} ` : "";
  // where the loopback has no relay its connections go the same way; for IPv6 that way does not exist
  if (!(onLoopback && any === "::"))
    rules.push(`-I OUTPUT 1 ${match} ${others}${destination} ${comment} -j DNAT --to-destination ${target}`);
  if (masquerade !== undefined) {
    const at = `-d ${masquerade.address} -p ${port.protocol} -m ${port.protocol} --dport ${port.container}`;
    rules.push(`-I POSTROUTING 1 ${at} -m addrtype --src-type LOCAL ${comment} -j MASQUERADE`);
    if (masquerade.subnet !== undefined)
      rules.push(
        `-I POSTROUTING 1 -s ${masquerade.subnet} ${at} -m conntrack --ctstate DNAT ${comment} -j MASQUERADE`,
      );
  }
  if (onLoopback) return rules;
  rules.push(`-I PREROUTING 1 ${match} ${destination} ${comment} -j DNAT --to-destination ${target}`);
  if (bridgeTarget !== undefined)
    // inserted after the one above, and so looked at before it
    for (const bridge of copy.bridges)
      rules.push(
        `-I PREROUTING 1 -i ${bridge} ${match} ${destination} ${comment} -j DNAT --to-destination ${bridgeTarget}`,
      );
  return rules;
}

function relayOf(copy: SwitchCopy, port: PublishedBinding): CopyRelay | undefined {
  return copy.relays.find(
    ({ protocol, container }) => protocol === port.protocol && container === port.container,
  );
}

function covers6({ hostIp }: PublishedBinding): boolean {
  return hostIp === "" || isIPv6(hostIp);
}

function transaction(rules: readonly string[]): string {
  return rules.length === 0 ? "" : `*nat\n${rules.join("\n")}\nCOMMIT\n`;
}
