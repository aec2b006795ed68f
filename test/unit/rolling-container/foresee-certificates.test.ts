import assert from "node:assert/strict";
import type { Route } from "../../../provider/proxy/route";
import { foreseeCertificates } from "../../../provider/rolling-container/foresee-certificates";
import { WANTED_ROUTE } from "../../support/route-model";

const DIRECTORY = "https://acme.test/dir";

const route = (hosts: readonly string[], acme?: string): Route => ({
  ...WANTED_ROUTE,
  hosts,
  proxies: WANTED_ROUTE.proxies.map((proxy) => (acme === undefined ? proxy : { ...proxy, acme })),
});

describe("foreseeCertificates", () => {
  it("must name what is new, and where it is from", () => {
    const before = route(["a.example"], DIRECTORY);
    const after = route(["a.example", "b.example"], DIRECTORY);
    assert.equal(
      foreseeCertificates(after, before),
      "certificates: for b.example from https://acme.test/dir (ACME); port 80 of each has to lead to its proxy, and until there is one a self-signed one is shown",
    );
    assert.match(foreseeCertificates(after, undefined), /^certificates: for a\.example, b\.example from/);
    assert.match(foreseeCertificates(before, route(["a.example"])), /^certificates: for a\.example from/);
  });

  it("must say that a name which leads to several hosts needs a certificate of the user's", () => {
    const [proxy] = WANTED_ROUTE.proxies;
    assert.ok(proxy);
    const acme = DIRECTORY;
    const proxies = ["a", "b"].map((host) => ({ ...proxy, acme, target: `root@${host}:22` }));
    const both = { ...route(["a.example"], DIRECTORY), proxies };
    assert.match(foreseeCertificates(both, undefined), /asks one of them alone: .* needs `certificates`$/);
  });

  it("must say nothing where nothing is got", () => {
    const same = route(["a.example"], DIRECTORY);
    assert.equal(foreseeCertificates(same, same), "");
    assert.equal(foreseeCertificates(route(["a.example"]), undefined), "");
    assert.equal(foreseeCertificates(undefined, same), "");
  });
});
