import assert from "node:assert/strict";
import type { Failure } from "../../provider/handler";
import { canonicalJson, Fields, hasUnknown, UNKNOWN } from "../../provider/values";

const fields = (values: Record<string, unknown>): { read: Fields; failures: Failure[] } => {
  const failures: Failure[] = [];
  return { read: new Fields(values, failures), failures };
};

describe("Fields", () => {
  it("must collect every mistake with its path and go on", () => {
    const { read, failures } = fields({ a: 1, ports: [{ container: 0 }, "x"], delay: "soon", kind: "c" });
    read.string("a");
    read.objects("ports", (port) => port.integer("container", { min: 1, max: 65_535 }));
    read.duration("delay");
    read.oneOf("kind", ["a", "b"]);
    read.requiredString("name");
    assert.deepEqual(
      failures.map((failure) => failure.property),
      ["a", "ports[0].container", "ports[1]", "delay", "kind", "name"],
    );
  });

  it("must take a value that is not known yet as absent, without a mistake", () => {
    const { read, failures } = fields({ name: UNKNOWN, env: { A: UNKNOWN, B: "b" }, on: UNKNOWN });
    assert.equal(read.requiredString("name"), undefined);
    assert.deepEqual(read.stringMap("env"), { B: "b" });
    assert.equal(read.boolean("on"), undefined);
    assert.deepEqual(failures, []);
    assert.ok(read.unknown);
  });

  it("must refuse an argument that nobody knows, but for our own keys", () => {
    const { read, failures } = fields({ name: "x", naem: "y", __urn: "u" });
    read.string("name");
    read.rejectOthers();
    assert.deepEqual(failures, [{ property: "naem", reason: "is not a known argument" }]);
  });

  it("must not print the values of a map, which may be secrets", () => {
    const { read, failures } = fields({ env: { PIN: 4711 } });
    read.stringMap("env");
    assert.deepEqual(failures, [{ property: "env.PIN", reason: "must be a text, not a number" }]);
  });
});

describe("canonicalJson", () => {
  it("must give equal text for equal values whatever their order", () => {
    assert.equal(canonicalJson({ b: [1, { d: 1, c: undefined }], a: "x" }), '{"a":"x","b":[1,{"d":1}]}');
    assert.equal(canonicalJson({ a: "x", b: [1, { d: 1 }] }), canonicalJson({ b: [1, { d: 1 }], a: "x" }));
  });
});

describe("hasUnknown", () => {
  it("must find an unknown value at any depth", () => {
    assert.ok(hasUnknown({ a: [{ b: UNKNOWN }] }));
    assert.ok(!hasUnknown({ a: [{ b: "x" }] }));
  });
});
