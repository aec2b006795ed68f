import assert from "node:assert/strict";
import { edgeProxyHandler as handler } from "../../../provider/edge-proxy/handler";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { silentLog } from "../../../provider/log";
import { UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";
import { newCertificate } from "../../support/shown-certificate";

const INPUTS = { name: "edge", host: { host: "203.0.113.1", user: "deploy" } };

function contextWith(kept: string[] = []): HandlerContext {
  return {
    urn: "",
    name: "edge",
    log: { ...silentLog, keep: (text) => void kept.push(text) },
    clock: new FakeClock(),
    random: () => 0,
    signal: new AbortController().signal,
    holder: "",
    stack: "p/s",
  };
}

async function failuresOf(more: Properties, olds: Properties = {}): Promise<readonly string[]> {
  const { failures } = await handler.check(olds, { ...INPUTS, ...more }, contextWith());
  return failures.map(({ property, reason }) => `${property} ${reason}`);
}

describe("edgeProxyHandler.check", () => {
  it("must say what routes have to know, write no defaults, and hold nothing secret in it", async () => {
    const { inputs, failures } = await handler.check(
      {},
      { ...INPUTS, tls: "internal", tcpPorts: [5432] },
      contextWith(),
    );
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs, {
      ...INPUTS,
      tls: "internal",
      tcpPorts: [5432],
      targets: ["deploy@203.0.113.1:22"],
      ref: {
        name: "edge",
        target: "deploy@203.0.113.1:22",
        network: "slipway",
        scheme: "https",
        address: "203.0.113.1",
        port: 443,
        tcpPorts: [5432],
      },
    });
  });

  it("must leave open what rests on something that is not known", async () => {
    for (const unknown of [
      { host: UNKNOWN },
      { host: { host: UNKNOWN } },
      { tls: UNKNOWN },
      { tcpPorts: [UNKNOWN] },
      { httpPort: UNKNOWN },
    ]) {
      const { inputs, failures } = await handler.check({}, { ...INPUTS, ...unknown }, contextWith());
      assert.deepEqual([inputs.ref, failures], [UNKNOWN, []], JSON.stringify(unknown));
    }
  });

  it("must collect every mistake", async () => {
    const wrong = {
      name: "a.b",
      image: "no image",
      network: "bridge",
      httpPort: 443,
      tls: "internal",
      tcpPorts: [443, 9, 9, 0],
      timeouts: { client: "0s", idle: "1s" },
      colour: "red",
    };
    assert.deepEqual(await failuresOf(wrong), [
      "name must be letters, digits, _ and -, two to 50 of them, and no dots",
      "image must be an image reference",
      'network cannot be "bridge": containers have no names on it',
      "tcpPorts[3] must be a whole number from 1 to 65535",
      "httpsPort cannot be 443 too, which is the httpPort",
      "tcpPorts has 9 twice",
      "tcpPorts cannot have 443, which is for http",
      "timeouts.client must be from 1ms to 24 days",
      "timeouts.idle is not a known argument",
      "colour is not a known argument",
    ]);
  });

  it("must take each form of TLS, and show no value of a wrong one", async () => {
    const good = newCertificate("a.example");
    assert.deepEqual(await failuresOf({ tls: { certificates: [good] } }), []);
    assert.deepEqual(await failuresOf({ tls: {} }), ["tls.certificates or acme is required"]);
    assert.deepEqual(await failuresOf({ tls: "on" }), [
      'tls must be "off", "internal", { certificates: [...] } or { acme: { email } }',
    ]);
    const other = { certificate: good.certificate, key: newCertificate("a.example").key };
    assert.deepEqual(await failuresOf({ tls: { certificates: [{ certificate: "x", key: "y" }, other] } }), [
      "tls.certificates[0].certificate is no certificate in PEM form",
      "tls.certificates[1].key is not the certificate's",
    ]);
    assert.deepEqual(await failuresOf({ httpsPort: 444 }), ['httpsPort needs tls, which is "off"']);
  });

  it("must want of ACME what HAProxy and the ACME server can take", async () => {
    const email = "a@b.example";
    assert.deepEqual(await failuresOf({ tls: { acme: { email } } }), []);
    const { certificate } = newCertificate("acme.test");
    const whole = { email, directory: "https://acme.test:14000/dir", ca: certificate };
    assert.deepEqual(await failuresOf({ tls: { acme: whole } }), []);
    assert.deepEqual(await failuresOf({ tls: { acme: {} } }), ["tls.acme.email is required"]);
    const wrong = { email: "a b\n@c", directory: "http://acme.test", ca: "x", staging: true };
    assert.deepEqual(await failuresOf({ tls: { acme: wrong, certificates: [] } }), [
      "tls.certificates cannot stand beside acme",
      "tls.acme.email must be an address such as admin@example.com",
      "tls.acme.directory must be the https address of an ACME server's directory",
      "tls.acme.ca is no certificate in PEM form",
      "tls.acme.staging is not a known argument",
    ]);
    const tls = { acme: { email } };
    for (const image of ["haproxy:3.1", "registry.example/library/haproxy:2.8-alpine"])
      assert.match(
        String(await failuresOf({ image, tls })),
        /^image must be HAProxy 3\.2 or newer for tls\.acme, not [23]\.[18]$/,
      );
    for (const image of ["haproxy:3.2", "haproxy:3.3-alpine", "haproxy:latest", "own/proxy:1.0"])
      assert.deepEqual(await failuresOf({ image, tls }), []);
  });

  it("must let routes know of ACME, and leave it open while the directory is not known", async () => {
    const acme = { email: UNKNOWN };
    const known = await handler.check({}, { ...INPUTS, tls: { acme } }, contextWith());
    assert.deepEqual([known.failures, known.inputs.ref], [[], UNKNOWN]);
    const { inputs } = await handler.check(
      {},
      { ...INPUTS, tls: { acme: { email: "a@b.example" } } },
      contextWith(),
    );
    assert.match(JSON.stringify(inputs.ref), /"acme":"https:\/\/acme-v02\.api\.letsencrypt\.org\/directory"/);
  });

  it("must refuse another name, under which the routes would be lost", async () => {
    assert.match(String(await failuresOf({ name: "other" }, INPUTS)), /^name cannot change from "edge"/);
  });
});

describe("edgeProxyHandler.diff", () => {
  it("must say the gap of what only a new container brings, and none of what a reload does", async () => {
    const kept: string[] = [];
    await handler.diff("edge", INPUTS, { ...INPUTS, timeouts: { client: "5s" } }, contextWith(kept));
    assert.deepEqual(kept, []);
    await handler.diff("edge", INPUTS, { ...INPUTS, image: "haproxy:3.3" }, contextWith(kept));
    assert.match(
      kept.join(),
      /without a gap \(bridged\) where the host.s iptables allow it, else with one stop and one start/,
    );
  });

  it("must say where certificates are from, when that changes", async () => {
    const kept: string[] = [];
    const acme = { ...INPUTS, tls: { acme: { email: "a@b.example", directory: "https://acme.test/dir" } } };
    const internal = { ...INPUTS, tls: "internal" };
    await handler.diff("edge", internal, acme, contextWith(kept));
    assert.match(
      kept.join(),
      /^tls: a certificate for each host name .* is got from https:\/\/acme\.test\/dir \(ACME\)/,
    );
    await handler.diff("edge", acme, internal, contextWith(kept));
    assert.equal(kept[1], "tls: no certificates are got from https://acme.test/dir any more");
    await handler.diff("edge", acme, acme, contextWith(kept));
    assert.equal(kept.length, 2);
  });

  it("must show drift, and want a new resource on another machine only", async () => {
    const olds = { ...INPUTS, drift: ["it does not answer"] };
    assert.deepEqual(await handler.diff("edge", olds, INPUTS, contextWith()), { changes: true });
    const moved = { ...INPUTS, host: { host: "203.0.113.2" } };
    assert.deepEqual(await handler.diff("edge", INPUTS, moved, contextWith()), {
      changes: true,
      replaces: ["host"],
    });
    const otherUser = { ...INPUTS, host: { host: "203.0.113.1", user: "root" } };
    assert.deepEqual(await handler.diff("edge", INPUTS, otherUser, contextWith()), { changes: undefined });
  });
});
