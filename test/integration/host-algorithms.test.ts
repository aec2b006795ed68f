import assert from "node:assert/strict";
import { testKey } from "../lab/test-key";
import { sshSite } from "../support/ssh-site";

const CHACHA = "chacha20-poly1305@openssh.com";

describe("what is offered to a machine", () => {
  const site = sshSite();

  it("must hold no SHA-1 signature, no CBC and no HMAC-SHA1", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port);
    await site.login({ ...server.connection, port: wire.port });
    const offer = wire.offer();
    assert.ok(offer !== undefined && offer.ciphers.length > 3 && offer.macs.length > 1);
    assert.ok(offer.kex.includes("kex-strict-c-v00@openssh.com"));
    for (const name of [...offer.kex, ...offer.hostKeys, ...offer.ciphers, ...offer.macs]) {
      assert.doesNotMatch(name, /^ssh-rsa$|^ssh-dss$|sha1|md5|cbc|arcfour/);
    }
  });

  it("must be refused before logging in by a machine that knows only those", async () => {
    const rsa = testKey("rsa");
    const cases = [
      [{ serverHostKey: ["ssh-rsa"] }, /signs with ssh-rsa only, of which none is taken here/],
      [{ cipher: ["aes128-cbc"] }, /no matching C->S cipher/],
      [{ cipher: ["aes128-ctr"], hmac: ["hmac-sha1"] }, /no matching C->S MAC/i],
    ] as const;
    for (const [algorithms, why] of cases) {
      const server = await site.start({
        hostKey: rsa.privateKey,
        algorithms: algorithms as unknown as NonNullable<Parameters<typeof site.start>[0]>["algorithms"] &
          object,
      });
      const { code, message } = await site.refusal({ ...server.connection, dialErrorLimit: 5 });
      assert.equal(code, "handshake-failed");
      assert.match(message, why);
      assert.match(message, /Nobody was logged in/);
      assert.equal(server.counts.logins, 0);
    }
  });

  it("must leave out what Terrapin touches where a machine has no strict key exchange, before any login", async () => {
    const cases = [
      { cipher: [CHACHA, "aes256-ctr"] },
      { cipher: ["aes128-ctr"], hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-256"] },
    ];
    for (const algorithms of cases as readonly object[]) {
      const logins: number[] = [];
      const server = await site.start({
        withoutStrict: true,
        algorithms,
        onAuthentication: (context) => {
          logins.push(wire.clients());
          context.accept();
        },
      });
      const wire = await site.wire(server.port);
      // aes256-ctr is agreed on first, with a MAC that Terrapin touches
      await site.login({ ...server.connection, port: wire.port });
      const offer = wire.offer();
      assert.ok(offer);
      assert.ok(offer.ciphers.includes("aes256-ctr"), offer.ciphers.join());
      assert.ok(!offer.ciphers.includes(CHACHA), offer.ciphers.join());
      assert.ok(!offer.macs.some((name) => name.includes("etm")), offer.macs.join());
      assert.equal(wire.clients(), 2);
      assert.deepEqual([...new Set(logins)], [2], "nothing was tried on the first connection");
    }
  });

  it("must not be asked twice of a machine that has no strict key exchange and agrees on what needs none", async () => {
    const server = await site.start({ withoutStrict: true });
    const wire = await site.wire(server.port);
    await site.login({ ...server.connection, port: wire.port });
    assert.equal(wire.clients(), 1);
  });

  it("must hold chacha20 for a machine with strict key exchange that knows nothing else", async () => {
    const server = await site.start({ algorithms: { cipher: [CHACHA] } });
    await site.login(server.connection);
    assert.equal(server.counts.logins, 1);
  });

  it("must say why a machine is refused that has chacha20 only and no strict key exchange", async () => {
    const server = await site.start({ withoutStrict: true, algorithms: { cipher: [CHACHA] } });
    const { code, message } = await site.refusal({ ...server.connection, dialErrorLimit: 5 });
    assert.equal(code, "handshake-failed");
    assert.match(
      message,
      /no strict key exchange, and offers nothing that is safe without it \(CVE-2023-48795\)/,
    );
    assert.equal(server.counts.logins, 0);
  });
});
