import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { accountKeyPath, accountMapPath, newAccount } from "../../../provider/proxy/acme";
import {
  acmeNames,
  certificateStore,
  ownTlsOf,
  PLACEHOLDER,
  routeCertificates,
} from "../../../provider/proxy/certificates";
import { proxyConfiguration } from "../../../provider/proxy/configuration";
import { parseShown } from "../../../provider/proxy/observed";
import { formatLeft, parseOrder } from "../../../provider/proxy/order-certificates";
import { acmeFailures, type Route } from "../../../provider/proxy/route";
import type { RouteEntry } from "../../../provider/proxy/route-file";

const timeouts = { connectMs: 1, clientMs: 1, serverMs: 1, tunnelMs: 1, hardStopMs: 1 };
const ACME = { directory: "https://acme.test/dir", email: "admin@example.com", ca: undefined };
const ID = createHash("sha256").update(ACME.directory).digest("hex").slice(0, 8);
const configuration = (more: object = {}): string =>
  proxyConfiguration({
    ...{ httpPort: 80, httpsPort: 443, redirectToHttps: true, timeouts },
    acme: { ...ACME, ...more },
  });

const WEB: RouteEntry = {
  ...{ service: "web", protocol: "http", hosts: ["a.example", "*.a.example", "203.0.113.1"], path: "/" },
  ...{ port: 1, listen: 0, places: 4, servers: [] },
};

describe("proxyConfiguration with ACME", () => {
  it("must verify the server, have HAProxy's section, and answer challenges before anything else", () => {
    const text = configuration();
    assert.match(
      text,
      /\n {4}expose-experimental-directives\n {4}httpclient\.ssl\.ca-file @system-ca\n {4}httpclient\.ssl\.verify required\n {4}httpclient\.resolvers\.prefer ipv4\n\ndefaults/,
    );
    assert.ok(
      text.includes(`
acme slipway
    directory https://acme.test/dir
    contact admin@example.com
    account-key /slipway/acme/${ID}.key
    challenge HTTP-01
    keytype ECDSA
    curves P-256

frontend http
    bind :80
    http-request return status 200 content-type text/plain lf-string "%[path,field(-1,/)].%[str(account),map(/slipway/acme/${ID}.map)]" if { path_reg ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]+$ }
    http-request redirect`),
    );
    assert.match(configuration({ ca: "PEM" }), /httpclient\.ssl\.ca-file \/slipway\/acme\/ca\.pem\n/);
  });

  it("must tell which account it has, and so what the proxy does", () => {
    assert.deepEqual(ownTlsOf(configuration(), []), { kind: "acme", id: ID });
    assert.deepEqual(ownTlsOf("", ["certs/00-internal.pem"]), { kind: "internal" });
    assert.deepEqual(ownTlsOf("", []), { kind: "none" });
  });
});

describe("newAccount", () => {
  it("must be a key and its thumbprint by RFC 7638", () => {
    const files = newAccount(ID);
    const { crv, kty, x, y } = createPublicKey(createPrivateKey(files.get(accountKeyPath(ID)) ?? "")).export({
      format: "jwk",
    });
    const text = `{"crv":"${crv ?? ""}","kty":"${kty ?? ""}","x":"${x ?? ""}","y":"${y ?? ""}"}`;
    const thumbprint = createHash("sha256").update(text).digest("base64url");
    assert.equal(files.get(accountMapPath(ID)), `account ${thumbprint}\n`);
    assert.equal(files.size, 2);
  });
});

describe("certificates from an ACME server", () => {
  it("must be one a name, whatever the routes, and none for a wildcard, an address or tcp", () => {
    const api = { ...WEB, service: "api", path: "/api", hosts: ["b.example", "a.example"] };
    const raw = { ...WEB, protocol: "tcp" as const, hosts: [] };
    assert.deepEqual(acmeNames([WEB, api, raw]), ["a.example", "b.example"]);
    assert.equal(certificateStore([], ID), undefined);
    assert.equal(
      certificateStore(["a.example"], ID),
      `crt-store\n    load crt /slipway/certs/60-a.example.${ID}.pem acme slipway domains "a.example"\n`,
    );
  });

  it("must be shown by a self-signed one at first, which says so, and never replace what is there", () => {
    const tls = { kind: "acme", id: ID } as const;
    const { files } = routeCertificates([WEB], [], tls);
    assert.deepEqual([...files.keys()], [`certs/60-a.example.${ID}.pem`]);
    assert.ok([...files.values()].every((pem) => pem.startsWith(`${PLACEHOLDER}\n-----BEGIN CERTIFICATE`)));
    const present = [`certs/60-a.example.${ID}.pem`, "certs/50-web.12345678.pem"];
    assert.deepEqual(routeCertificates([WEB], present, tls), {
      files: new Map(),
      removed: ["certs/50-web.12345678.pem"],
    });
  });

  it("must be awaited only where the server is the proxy's own of now", () => {
    const shown = `@slipway file conf/00-proxy.cfg
${configuration()}
@slipway digests
@slipway placeholders
certs/60-a.example.${ID}.pem
certs/60-b.example.00000000.pem
@slipway keeper
@slipway silent
`;
    const { placeholders, keeper, tls } = parseShown(shown);
    assert.deepEqual([placeholders, keeper, tls.kind], [["a.example"], true, "acme"]);
  });
});

describe("parseOrder", () => {
  const path = (name: string): string => `certs/60-${name}.${ID}.pem`;
  const text = `@slipway placeholders
${path("bad.example")}
${path("slow.example")}
@slipway status
# certificate\tsection\tstate\texpiration
/slipway/${path("bad.example")}\tslipway\tScheduled\t2049
/slipway/${path("slow.example")}\tslipway\tRunning\t2049
@slipway log
acme: /slipway/${path("bad.example")}: Starting update of the certificate.
acme: /slipway/${path("bad.example")}: challenge error: "no such\u001b[31m host" (urn:ietf:params:acme:error:dns) (HTTP status code 200) Aborting.
acme: /slipway/${path("a.example")}: Successful update of the certificate.
`;

  it("must tell who has none, and what the server said", () => {
    const left = parseOrder(text);
    assert.deepEqual(
      left.map(({ name, running }) => [name, running]),
      [
        ["bad.example", false],
        ["slow.example", true],
      ],
    );
    assert.match(left[0]?.words ?? "", /urn:ietf:params:acme:error:dns/);
    assert.equal(left[1]?.words, "");
  });

  it("must warn without what a terminal would obey, and say what goes on", () => {
    const [bad, slow] = parseOrder(text).map((each) => formatLeft(each, (words) => words));
    assert.equal(
      bad,
      'no certificate for bad.example yet: challenge error: "no such host" (urn:ietf:params:acme:error:dns) (HTTP status code 200). Until there is one, the one from before or a self-signed one is shown. Port 80 of that name has to lead to this proxy. The host tries again every half hour',
    );
    assert.match(slow ?? "", /the ACME server has not answered\. .* It is still being tried$/);
  });
});

describe("a route of a proxy with ACME", () => {
  it("must have no wildcard and no address among its hosts", () => {
    const proxy = {
      ...{
        name: "edge",
        target: "root@host:22",
        network: "slipway",
        scheme: "https" as const,
        address: "host",
      },
      ...{ port: 443, tcpPorts: [] },
    };
    const route: Route = { ...WEB, proxies: [{ ...proxy, acme: ACME.directory }], drainTimeoutMs: 1 };
    const failures = acmeFailures(route);
    assert.deepEqual(
      failures.map(({ property }) => property),
      ["route.hosts", "route.hosts"],
    );
    assert.match(failures[0]?.reason ?? "", /^cannot have \*\.a\.example: .*HTTP-01.*none for wildcards/);
    assert.match(failures[1]?.reason ?? "", /^cannot have 203\.0\.113\.1: .*none for addresses/);
    assert.deepEqual(acmeFailures({ ...route, proxies: [proxy] }), []);
  });
});
