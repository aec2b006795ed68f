/** A Docker network, as far as the ways to switch ask. */
export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly internal: boolean;
  /** The bridge's name on the host; undefined for other drivers. */
  readonly bridge: string | undefined;
  /** Of its first IPv4 subnet. */
  readonly subnet: string | undefined;
  /** The host's IPv4 address on it. */
  readonly gateway: string | undefined;
  /** Whether containers have IPv6 addresses on it. */
  readonly ipv6: boolean;
  /** `nat` unless the network says otherwise (`routed`, `isolated`, `nat-unprotected`). */
  readonly gatewayMode: string;
}

/** What a host has of a switch, and for one. */
export interface ObservedSwitch {
  /** The program of this service; undefined when none is at work. `phase` `stuck`: it only watches its rules. */
  readonly program: { readonly pid: number; readonly phase: string } | undefined;
  /** What an earlier one left unfinished; undefined when it ended in order, or never was. */
  readonly unfinished: string | undefined;
  /** Its files are there: of one at work, of a dead one, or of one that ended in order. */
  readonly files: boolean;
  /** How many rules of ours stand for this service, in all backends. */
  readonly rules: number;
  /** Whether the copy that the rules hang on lives; undefined when that is not known any more. */
  readonly copyAlive: boolean | undefined;
  /** Root's rights can be had (the script ran with them). */
  readonly root: boolean;
  readonly dockerCli: boolean;
  /** iptables-save and iptables-restore. */
  readonly iptables: boolean;
  readonly ip6tables: boolean;
  readonly conntrack: boolean;
  /** Whether the engine keeps its port rules in iptables. */
  readonly dockerRules: boolean;
  readonly dockerRules6: boolean;
  readonly rootless: boolean;
  readonly liveRestore: boolean;
  /** The host speaks IPv6. */
  readonly ipv6: boolean;
  /** Its first global IPv6 address. */
  readonly host6: string | undefined;
  readonly networks: readonly ObservedNetwork[];
}
