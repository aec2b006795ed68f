import assert from "node:assert/strict";
import {
  formatRouteFile,
  formatRouteMap,
  needsReload,
  parseRouteFile,
  placesFor,
  type RouteEntry,
  routeKeys,
} from "../../../provider/proxy/route-file";

const WEB: RouteEntry = {
  service: "web",
  protocol: "http",
  hosts: ["*.example.com", "example.com"],
  path: "/api",
  port: 3000,
  listen: 0,
  places: 3,
  servers: [{ place: 2, container: "0123456789ab" }],
};

describe("formatRouteFile", () => {
  it("must give an http route this text", () => {
    assert.equal(
      formatRouteFile(WEB),
      `# slipway {"hosts":["*.example.com","example.com"],"listen":0,"path":"/api","places":3,"port":3000,"protocol":"http","servers":[{"container":"0123456789ab","place":2}],"service":"web"}
# key *.example.com/api/ service.web
# key example.com/api/ service.web
backend service.web
    mode http
    balance roundrobin
    default-server check inter 1s fall 2 rise 1 resolvers docker resolve-opts allow-dup-ip init-addr libc,none
    server s1 slipway-free:3000 disabled
    server s2 0123456789ab:3000
    server s3 slipway-free:3000 disabled
`,
    );
  });

  it("must give a tcp route a frontend of its own, and claim the port", () => {
    const text = formatRouteFile({
      ...WEB,
      protocol: "tcp",
      hosts: [],
      path: "/",
      listen: 5432,
      places: 1,
      servers: [],
    });
    assert.deepEqual(text.split("\n").slice(1, 7), [
      "# key tcp:5432 service.web",
      "frontend tcp.5432",
      "    mode tcp",
      "    bind :5432",
      "    default_backend service.web",
      "backend service.web",
    ]);
  });

  it("must read back what it wrote", () => {
    assert.deepEqual(parseRouteFile(formatRouteFile(WEB)), WEB);
  });
});

describe("parseRouteFile", () => {
  it("must take nothing that is not a route of ours", () => {
    const entry = JSON.stringify(WEB);
    for (const text of [
      "",
      "backend x\n",
      "# slipway {",
      "# slipway {}",
      `# slipway ${entry.replace('"web"', '"../x"')}`,
    ]) {
      assert.equal(parseRouteFile(text), undefined, text);
    }
  });

  it("must leave out a server whose container is no id", () => {
    const text = `# slipway ${JSON.stringify({ ...WEB, servers: [{ place: 1, container: "x disabled" }] })}`;
    assert.deepEqual(parseRouteFile(text)?.servers, []);
  });
});

describe("needsReload", () => {
  it("must not be for other servers, and be for everything else", () => {
    assert.equal(needsReload(WEB, { ...WEB, servers: [] }), false);
    assert.equal(needsReload(undefined, WEB), true);
    for (const other of [{ path: "/" }, { hosts: [] }, { port: 1 }, { places: 9 }]) {
      assert.equal(needsReload(WEB, { ...WEB, ...other }), true);
    }
  });
});

describe("formatRouteMap", () => {
  it("must hold each key once, sorted, and none of a tcp route", () => {
    const any: RouteEntry = { ...WEB, service: "any", hosts: [], path: "/" };
    const tcp: RouteEntry = { ...WEB, service: "db", protocol: "tcp", hosts: [], path: "/", listen: 5432 };
    assert.equal(
      formatRouteMap([WEB, tcp, any]),
      "*.example.com/api/ service.web\n*/ service.any\nexample.com/api/ service.web\n",
    );
  });

  it("must match whole segments: the key has a slash at its end", () => {
    const begins = (request: string): boolean => routeKeys(WEB).some((key) => `${request}/`.startsWith(key));
    assert.deepEqual(["example.com/api", "example.com/api/x", "example.com/apix"].map(begins), [
      true,
      true,
      false,
    ]);
  });
});

describe("placesFor", () => {
  it("must have room for all of a service twice", () => {
    assert.deepEqual([1, 3].map(placesFor), [4, 8]);
  });
});
