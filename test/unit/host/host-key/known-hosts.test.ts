import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { entriesFor, knownHostName, parseKnownHosts } from "../../../../provider/host/host-key/known-hosts";

const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIEIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC";
const line = (hosts: string, marker = ""): string => `${marker}${hosts} ssh-ed25519 ${KEY} a comment`;
const found = (text: string, host: string, port = 22): number =>
  entriesFor(parseKnownHosts(text), host, port).length;

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdefghij");
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toString("base64")}|${hash}`;
}

describe("parseKnownHosts", () => {
  it("must read keys with their line, and pass over comments and broken lines", () => {
    const text = `# comment\n\n${line("web")}\r\nweb ssh-ed25519\nweb ssh-rsa ${KEY}\nweb ssh-ed25519 not-base64!\n`;
    assert.deepEqual(parseKnownHosts(text), [
      { marker: "none", hosts: "web", type: "ssh-ed25519", key: KEY, line: 3 },
    ]);
  });

  it("must tell the markers apart and pass over unknown ones", () => {
    const text = [line("a", "@revoked "), line("b", "@cert-authority "), line("c", "@other ")].join("\n");
    assert.deepEqual(
      parseKnownHosts(text).map(({ marker, hosts }) => [marker, hosts]),
      [
        ["revoked", "a"],
        ["cert-authority", "b"],
      ],
    );
  });
});

describe("entriesFor", () => {
  it("must match names whatever their case", () => {
    assert.equal(found(line("Web.example,10.0.0.1"), "web.EXAMPLE"), 1);
    assert.equal(found(line("web.example,10.0.0.1"), "10.0.0.1"), 1);
    assert.equal(found(line("web.example"), "web.example.org"), 0);
  });

  it("must keep the port apart", () => {
    assert.equal(found(line("[web]:2222"), "web", 2222), 1);
    assert.equal(found(line("[web]:2222"), "web"), 0);
    assert.equal(found(line("web"), "web", 2222), 0);
    assert.equal(knownHostName("2001:db8::1", 2222), "[2001:db8::1]:2222");
  });

  it("must match hashed names, with a port too", () => {
    assert.equal(found(line(hashed("web")), "web"), 1);
    assert.equal(found(line(hashed("web")), "web2"), 0);
    assert.equal(found(line(hashed("[web]:2222")), "web", 2222), 1);
  });

  it("must match wildcards and let a negation win", () => {
    assert.equal(found(line("*.example"), "a.example"), 1);
    assert.equal(found(line("*.example"), "example"), 0);
    assert.equal(found(line("web?"), "web1"), 1);
    assert.equal(found(line("web?"), "web12"), 0);
    assert.equal(found(line("*.example,!bad.example"), "bad.example"), 0);
    assert.equal(found(line("a.b"), "axb"), 0);
  });
});
