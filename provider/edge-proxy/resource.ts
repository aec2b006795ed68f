import * as pulumi from "@pulumi/pulumi";
import type { HostArgument } from "../docker-host/resource";
import type { ProxyRef } from "../proxy/ref";
import type { RegistryArgs } from "../remote-image/resource";
import { SlipwayResource, STANDS_FOR } from "../resource";
import type { ExchangeSummary, RouteSummary } from "./outputs";

export type { ExchangeSummary, RouteSummary } from "./outputs";

/** A certificate that the proxy shows to clients that name one of its hosts. */
export interface CertificateArgs {
  /** PEM: the certificate, then those between it and its root. */
  readonly certificate: pulumi.Input<string>;
  /** PEM, without a passphrase. Secret. */
  readonly key: pulumi.Input<string>;
}

/**
 * Certificates from an ACME server, such as Let's Encrypt, got and renewed by HAProxy itself (3.2 or newer): one for each host
 * name of the routes. Port 80 of each name has to lead to this proxy (HTTP-01), so wildcards are refused. To give it is to agree
 * to the server's terms.
 * @example tls: { acme: { email: "admin@example.com" } }
 */
export interface AcmeArgs {
  /** Told to the ACME server, for news about the certificates. */
  readonly email: pulumi.Input<string>;
  /** The ACME server's directory. @default "https://acme-v02.api.letsencrypt.org/directory" */
  readonly directory?: pulumi.Input<string | undefined>;
  /** PEM of the authority that the ACME server itself shows, for a private one. @default those that the image trusts */
  readonly ca?: pulumi.Input<string | undefined>;
}

/**
 * "off": http only. "internal": self-signed certificates, one for each route's host names; clients have to be told to trust
 * them. `certificates`: yours, chosen by the name that a client asks for; the first is for those that ask for none of them.
 * `acme`: got from an ACME server and renewed; until a name has its own, a self-signed one is shown.
 */
export type TlsArgs =
  | "off"
  | "internal"
  | { readonly certificates: pulumi.Input<pulumi.Input<CertificateArgs>[]> }
  | { readonly acme: pulumi.Input<AcmeArgs> };

/** How long the proxy waits. */
export interface ProxyTimeoutArgs {
  /** For a connection to a container. @default "5s" */
  readonly connect?: pulumi.Input<string | undefined>;
  /** For a client to say the next thing. @default "60s" */
  readonly client?: pulumi.Input<string | undefined>;
  /** For a container to say the next thing. @default "60s" */
  readonly server?: pulumi.Input<string | undefined>;
  /** For either side of a websocket, or of a tcp route, to say the next thing. @default "1h" */
  readonly tunnel?: pulumi.Input<string | undefined>;
  /**
   * What is open when the proxy itself is exchanged (another image, network or ports) has this long to end: requests on their
   * way, websockets, kept-alive connections. @default "30s"
   */
  readonly drain?: pulumi.Input<string | undefined>;
}

export interface EdgeProxyArgs {
  /** Where it runs, and whose ports it holds: a DockerHost or a connection. Root's rights are needed there. */
  readonly host: pulumi.Input<HostArgument>;
  /** The proxy's name and its container's; it cannot change. No dots. @default the resource's name */
  readonly name?: pulumi.Input<string | undefined>;
  /**
   * An image with HAProxy 2.6 or newer; 3.2 or newer for `tls: { acme }`. Another one exchanges the container, without a gap where the host allows it: new
   * connections go to a copy, by iptables rules of ours, until the new one has the ports. @default "haproxy:3.2"
   */
  readonly image?: pulumi.Input<string | undefined>;
  /** @default 80 */
  readonly httpPort?: pulumi.Input<number | undefined>;
  /** With TLS. @default 443 */
  readonly httpsPort?: pulumi.Input<number | undefined>;
  /** Ports for tcp routes, one each. Another list exchanges the container, as another image does. @default [] */
  readonly tcpPorts?: pulumi.Input<pulumi.Input<number>[] | undefined>;
  /** @default "off" */
  readonly tls?: pulumi.Input<TlsArgs | undefined>;
  /** With TLS: plain http is answered with the way to https. @default true */
  readonly redirectToHttps?: pulumi.Input<boolean | undefined>;
  /** The network that proxy and containers share, made where it is missing. @default "slipway" */
  readonly network?: pulumi.Input<string | undefined>;
  readonly timeouts?: pulumi.Input<ProxyTimeoutArgs | undefined>;
  /**
   * Further sections of HAProxy's configuration, as text or lines: a second `global` adds to ours, a `frontend` of your own
   * stands beside ours. Tried by `haproxy -c` before anything is changed. Not for secrets: HAProxy's complaints quote it.
   */
  readonly config?: pulumi.Input<string | pulumi.Input<string>[] | undefined>;
  /** Logins for the image. Secret. */
  readonly registries?: pulumi.Input<pulumi.Input<RegistryArgs>[] | undefined>;
  /** Let delete finish when the host does not answer any more. @default false */
  readonly abandonUnreachable?: pulumi.Input<boolean | undefined>;
}

/**
 * HAProxy in a container: host names, paths and TLS in front of the services that name it in their `route`. What routes it
 * has, and which containers stand behind them, is theirs; it holds the ports, the certificates and the network.
 */
export class EdgeProxy extends SlipwayResource {
  declare readonly name: pulumi.Output<string>;
  /** Where clients reach it: `https://203.0.113.10`. */
  declare readonly address: pulumi.Output<string>;
  /** HAProxy's, of the process that runs. */
  declare readonly version: pulumi.Output<string>;
  /** As they were when an operation last looked. */
  declare readonly routes: pulumi.Output<RouteSummary[]>;
  declare readonly containerId: pulumi.Output<string>;
  /** Of its container; `missing` when there is none. */
  declare readonly state: pulumi.Output<string>;
  /** The last exchange of its container, if any: the way it went, and for how long nobody answered. */
  declare readonly lastExchange: pulumi.Output<ExchangeSummary | undefined>;
  /** What was not as it should be at the last refresh; the next up puts it right. */
  declare readonly drift: pulumi.Output<string[]>;
  /** What routes have to know of it. */
  declare readonly ref: pulumi.Output<ProxyRef>;

  constructor(name: string, args: EdgeProxyArgs, opts?: pulumi.CustomResourceOptions) {
    super(SHAPE, name, { ...args, name: args.name ?? name, tls: withSecretKeys(args.tls) }, opts);
  }

  /**
   * Given as an argument, a proxy is what routes have to know of it.
   * @internal
   */
  [STANDS_FOR](): pulumi.Output<ProxyRef> {
    return this.ref;
  }
}

/** How a service is reached through EdgeProxies: by host name and path, or on a port of theirs. */
export interface RouteArgs {
  /** The proxy of its host; of several hosts one each. They share one network, which the containers join. */
  readonly proxy: pulumi.Input<EdgeProxy | pulumi.Input<EdgeProxy>[]>;
  /** Host names; "*.example.com" is any one label. @default every name that no other route has */
  readonly hosts?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** What the path begins with, in whole segments; the container gets it as it is. @default "/" */
  readonly path?: pulumi.Input<string | undefined>;
  /** The container's port; it is not published. */
  readonly port: pulumi.Input<number>;
  /** @default "http" */
  readonly protocol?: pulumi.Input<"http" | "tcp" | undefined>;
  /** For tcp: the proxy's port, one of its `tcpPorts`. @default port */
  readonly listen?: pulumi.Input<number | undefined>;
  /** How long requests and connections of an old container may go on, websockets too, before it is stopped. @default "30s" */
  readonly drainTimeout?: pulumi.Input<string | undefined>;
}

/** Certificates are secret whether the program said so or not; that there are some is not. */
function withSecretKeys(tls: EdgeProxyArgs["tls"]): EdgeProxyArgs["tls"] {
  if (tls === undefined || typeof tls === "string") return tls;
  if (pulumi.Output.isInstance(tls) || tls instanceof Promise) return pulumi.secret(tls);
  return "certificates" in tls ? { ...tls, certificates: pulumi.secret(tls.certificates) } : tls;
}

const SHAPE = {
  kind: "EdgeProxy",
  connections: ["host"],
  secrets: ["registries"],
  outputs: ["ref", "address", "version", "routes", "containerId", "state", "lastExchange", "drift"],
} as const;
