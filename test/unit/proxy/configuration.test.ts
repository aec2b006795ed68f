import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { proxyConfiguration } from "../../../provider/proxy/configuration";
import { routeCertificates } from "../../../provider/proxy/certificates";
import type { RouteEntry } from "../../../provider/proxy/route-file";
import { selfSignedPem } from "../../../provider/proxy/self-signed";

const timeouts = {
  connectMs: 5_000,
  clientMs: 60_000,
  serverMs: 60_000,
  tunnelMs: 3_600_000,
  hardStopMs: 3_600_000,
};

const ROUTING = `    option forwardfor
    http-request set-var(txn.host) req.hdr(host),host_only,lower
    http-request set-var-fmt(txn.key) %[var(txn.host)]%[path]/
    http-request set-var(txn.route) var(txn.key),map_beg(/slipway/routes.map)
    http-request set-var-fmt(txn.key) *%[var(txn.host),regsub(^[^.]*,)]%[path]/ if !{ var(txn.route) -m found }
    http-request set-var(txn.route) var(txn.key),map_beg(/slipway/routes.map) if !{ var(txn.route) -m found }
    http-request set-var-fmt(txn.key) *%[path]/ if !{ var(txn.route) -m found }
    http-request set-var(txn.route) var(txn.key),map_beg(/slipway/routes.map) if !{ var(txn.route) -m found }
    http-request return status 404 content-type text/plain string "no route" if !{ var(txn.route) -m found }
    use_backend %[var(txn.route)]
`;

const HEAD = `# made by Slipway; edits are put right
global
    uid 65534
    gid 65534
    fd-hard-limit 100000
    log stdout format raw local0 notice
    stats socket /slipway/run/worker.sock mode 600 level admin expose-fd listeners
    hard-stop-after 3600000ms

defaults
    mode http
    log global
    option dontlognull
    option redispatch 1
    retries 3
    option idle-close-on-response
    timeout http-request 30s
    timeout connect 5000ms
    timeout client 60000ms
    timeout server 60000ms
    timeout tunnel 3600000ms

resolvers docker
    nameserver docker 127.0.0.11:53
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold nx 5s
    hold obsolete 5s
    hold timeout 1h
    hold refused 1h
    hold other 1h
`;

describe("proxyConfiguration", () => {
  it("must be this text without TLS", () => {
    assert.equal(
      proxyConfiguration({ httpPort: 80, httpsPort: undefined, redirectToHttps: false, timeouts }),
      `${HEAD}
frontend http
    bind :80
    http-request set-header X-Forwarded-Proto http
${ROUTING}`,
    );
  });

  it("must be this text with TLS, http answered with the way to https", () => {
    assert.equal(
      proxyConfiguration({ httpPort: 80, httpsPort: 8443, redirectToHttps: true, timeouts }),
      `${HEAD}
frontend http
    bind :80
    http-request redirect location https://%[req.hdr(host),host_only]:8443%[capture.req.uri] code 308

frontend https
    bind :8443 ssl crt /slipway/certs alpn h2,http/1.1 ssl-min-ver TLSv1.2
    http-request set-header X-Forwarded-Proto https
${ROUTING}`,
    );
  });
});

describe("selfSignedPem", () => {
  it("must be for all its names, signed by its own key, which comes with it", () => {
    const certificate = new X509Certificate(
      selfSignedPem({ names: ["example.com", "*.a.example", "203.0.113.1", "2001:db8::1"] }),
    );
    assert.equal(
      certificate.subjectAltName,
      "DNS:example.com, DNS:*.a.example, IP Address:203.0.113.1, IP Address:2001:DB8:0:0:0:0:0:1",
    );
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.validTo, "Dec 31 23:59:59 2049 GMT");
  });
});

describe("routeCertificates", () => {
  const web: RouteEntry = {
    service: "web",
    protocol: "http",
    hosts: ["example.com"],
    path: "/",
    port: 1,
    listen: 0,
    places: 4,
    servers: [],
  };

  it("must make one for a route with names, once, and take away those of others", () => {
    const { files } = routeCertificates([web, { ...web, service: "any", hosts: [] }], [], {
      kind: "internal",
    });
    const [path = ""] = files.keys();
    assert.match(path, /^certs\/50-web\.[0-9a-f]{8}\.pem$/);
    assert.equal(files.size, 1);
    const again = routeCertificates([web], [path, "certs/50-gone.00000000.pem", "certs/00-internal.pem"], {
      kind: "internal",
    });
    assert.deepEqual([again.files.size, again.removed], [0, ["certs/50-gone.00000000.pem"]]);
    assert.deepEqual(routeCertificates([web], [path], { kind: "none" }).removed, [path]);
  });
});
