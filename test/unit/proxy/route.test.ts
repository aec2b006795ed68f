import assert from "node:assert/strict";
import type { Properties } from "../../../provider/handler";
import { proxyOn, readRoute, routeFailures, routeUrl } from "../../../provider/proxy/route";
import { Fields, UNKNOWN } from "../../../provider/values";

const PROXY = {
  name: "edge",
  target: "deploy@203.0.113.1:22",
  network: "slipway",
  scheme: "https",
  address: "203.0.113.1",
  port: 443,
  tcpPorts: [5432],
};

function read(route: Properties) {
  const fields = new Fields(route, [], "route");
  const value = readRoute(fields);
  return { value, failures: fields.failures.map(({ property, reason }) => `${property} ${reason}`) };
}

function must(route: Properties) {
  const { value, failures } = read(route);
  assert.deepEqual(failures, []);
  assert.ok(value);
  return value;
}

describe("readRoute", () => {
  it("must give a route its defaults", () => {
    const { proxies, ...rest } = must({ proxy: PROXY, port: 3000 });
    assert.deepEqual(proxies, [PROXY]);
    assert.deepEqual(rest, {
      protocol: "http",
      hosts: [],
      path: "/",
      port: 3000,
      listen: 0,
      drainTimeoutMs: 30_000,
    });
  });

  it("must write names and paths in one way", () => {
    const { hosts, path } = must({
      proxy: PROXY,
      port: 1,
      hosts: ["Shop.Example", "*.a.example"],
      path: "/api/",
    });
    assert.deepEqual([hosts, path], [["*.a.example", "shop.example"], "/api"]);
  });

  it("must refuse what HAProxy would read otherwise", () => {
    for (const host of ["a b", "a/b", "*.*.x", "x{y", "", "-a.example", "a..b", "a.*"]) {
      assert.equal(read({ proxy: PROXY, port: 1, hosts: [host] }).failures.length, 1, host);
    }
    for (const path of ["api", "/a b", "/a#b", "/a\nb", "//a", '/"', "/a?b"]) {
      assert.equal(read({ proxy: PROXY, port: 1, path }).failures.length, 1, path);
    }
  });

  it("must want a port of the proxy for tcp, and nothing of http", () => {
    assert.equal(must({ proxy: PROXY, port: 5432, protocol: "tcp" }).listen, 5432);
    assert.equal(must({ proxy: PROXY, port: 5433, protocol: "tcp", listen: 5432 }).listen, 5432);
    assert.deepEqual(
      read({ proxy: PROXY, port: 99, protocol: "tcp", hosts: ["a.example"], path: "/x" }).failures,
      [
        "route.hosts are for http: a tcp route has a port of the proxy to itself",
        "route.path is for http",
        'route.listen must be one of the tcpPorts of the proxy "edge" (5432), not 99',
      ],
    );
  });

  it("must name what is missing, and let pass what is not known yet", () => {
    assert.deepEqual(read({}).failures, ["route.proxy is required", "route.port is required"]);
    assert.deepEqual(read({ proxy: UNKNOWN, port: UNKNOWN }), { value: undefined, failures: [] });
  });
});

describe("a route on hosts", () => {
  it("must find the proxy of a machine whoever logs in, and miss it elsewhere", () => {
    const route = must({ proxy: [PROXY], port: 1 });
    assert.equal(proxyOn(route, "root@203.0.113.1:22")?.name, "edge");
    assert.deepEqual(routeFailures(route, ["root@203.0.113.1:22", "root@203.0.113.2:22"]), [
      {
        property: "route.proxy",
        reason: "names no EdgeProxy on root@203.0.113.2:22, where the service runs",
      },
    ]);
  });

  it("must have an address that can be typed", () => {
    assert.equal(
      routeUrl(must({ proxy: PROXY, port: 1, hosts: ["*.b.example", "a.example"], path: "/x" })),
      "https://a.example/x",
    );
    const odd = { ...PROXY, scheme: "http", port: 8080, address: "2001:db8::1" };
    assert.equal(routeUrl(must({ proxy: odd, port: 1 })), "http://[2001:db8::1]:8080");
    assert.equal(routeUrl(must({ proxy: odd, port: 5432, protocol: "tcp" })), "tcp://[2001:db8::1]:5432");
  });
});
