import { type AcmeSettings, acmeGlobals, acmeSection, challengeLine } from "./acme";
import { FREE_NAME, INSIDE } from "./ref";
import { MAP_PATH } from "./route-file";

/** What a proxy's own part of the configuration rests on; its routes have files of their own. */
export interface ProxySettings {
  readonly httpPort: number;
  /** Undefined: no TLS. */
  readonly httpsPort: number | undefined;
  /** http answers with the way to https. */
  readonly redirectToHttps: boolean;
  /** Certificates are got from an ACME server. @default they are not */
  readonly acme?: AcmeSettings;
  readonly timeouts: ProxyTimeouts;
}

/** Milliseconds. */
export interface ProxyTimeouts {
  /** To a container. */
  readonly connectMs: number;
  /** For a client to say the next thing. */
  readonly clientMs: number;
  /** For a container to say the next thing. */
  readonly serverMs: number;
  /** For either side of a websocket or another open connection. */
  readonly tunnelMs: number;
  /** How long former processes may go on with what they had, after a reload. */
  readonly hardStopMs: number;
}

/** Nobody in particular: the processes that talk to clients are not root. */
const NOBODY = 65_534;

/** HAProxy's configuration but for the routes: one text for one meaning. */
export function proxyConfiguration({
  httpPort,
  httpsPort,
  redirectToHttps,
  acme,
  timeouts,
}: ProxySettings): string {
  const challenges = acme === undefined ? [] : [challengeLine(acme)];
  const sections = [
    [
      "global",
      `uid ${NOBODY}`,
      `gid ${NOBODY}`,
      "fd-hard-limit 100000",
      "log stdout format raw local0 notice",
      `stats socket ${INSIDE}/run/worker.sock mode 600 level admin expose-fd listeners`,
      `hard-stop-after ${timeouts.hardStopMs}ms`,
      ...(acme === undefined ? [] : acmeGlobals(acme)),
    ],
    [
      "defaults",
      "mode http",
      "log global",
      "option dontlognull",
      "option redispatch 1",
      "retries 3",
      // a reload must not close a kept-alive connection on which the next request is on its way
      "option idle-close-on-response",
      "timeout http-request 30s",
      `timeout connect ${timeouts.connectMs}ms`,
      `timeout client ${timeouts.clientMs}ms`,
      `timeout server ${timeouts.serverMs}ms`,
      `timeout tunnel ${timeouts.tunnelMs}ms`,
    ],
    [
      "resolvers docker",
      "nameserver docker 127.0.0.11:53",
      "timeout resolve 1s",
      "timeout retry 1s",
      "hold valid 1s",
      // a container that is gone loses its place; an engine that does not answer (its restart) takes nobody's
      "hold nx 5s",
      "hold obsolete 5s",
      "hold timeout 1h",
      "hold refused 1h",
      "hold other 1h",
    ],
    acme === undefined ? [] : acmeSection(acme),
    [
      "frontend http",
      `bind :${httpPort}`,
      ...challenges,
      ...(httpsPort !== undefined && redirectToHttps
        ? [redirectLine(httpsPort)]
        : ["http-request set-header X-Forwarded-Proto http", ...ROUTING]),
    ],
    httpsPort === undefined
      ? []
      : [
          "frontend https",
          `bind :${httpsPort} ssl crt ${INSIDE}/certs alpn h2,http/1.1 ssl-min-ver TLSv1.2`,
          "http-request set-header X-Forwarded-Proto https",
          ...ROUTING,
        ],
  ];
  const texts = sections
    .filter((lines) => lines.length > 0)
    .map(([head = "", ...lines]) => [head, ...lines.map((line) => `    ${line}`)].join("\n"));
  return `# made by Slipway; edits are put right\n${texts.join("\n\n")}\n`;
}

function redirectLine(httpsPort: number): string {
  const port = httpsPort === 443 ? "" : `:${httpsPort}`;
  return `http-request redirect location https://%[req.hdr(host),host_only]${port}%[capture.req.uri] code 308`;
}

const FOUND = "{ var(txn.route) -m found }";
const LOOK_UP = `http-request set-var(txn.route) var(txn.key),map_beg(${MAP_PATH})`;

/** The exact host first, then its wildcard, then routes without a host; in each the longest path. */
const ROUTING: readonly string[] = [
  "option forwardfor",
  "http-request set-var(txn.host) req.hdr(host),host_only,lower",
  "http-request set-var-fmt(txn.key) %[var(txn.host)]%[path]/",
  LOOK_UP,
  `http-request set-var-fmt(txn.key) *%[var(txn.host),regsub(^[^.]*,)]%[path]/ if !${FOUND}`,
  `${LOOK_UP} if !${FOUND}`,
  `http-request set-var-fmt(txn.key) *%[path]/ if !${FOUND}`,
  `${LOOK_UP} if !${FOUND}`,
  `http-request return status 404 content-type text/plain string "no route" if !${FOUND}`,
  "use_backend %[var(txn.route)]",
];

/** Aliases of the proxy on its network. */
export const PROXY_ALIASES: readonly string[] = [FREE_NAME];
