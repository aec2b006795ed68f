import assert from "node:assert/strict";
import {
  imageRef,
  isImageName,
  isRefOf,
  parseReference,
  tagReference,
} from "../../../provider/remote-image/reference";

describe("image references", () => {
  for (const name of ["web", "a/b-c", "registry:5000/team/web", "r.example/a__b.c", "localhost/x"]) {
    it(`must take ${name} for a name`, () => assert.ok(isImageName(name)));
  }
  for (const name of ["", "Web", "web:1", "-web", "web/", "a//b", "a b", "$(x)", "a..b", "x".repeat(256)]) {
    it(`must not take ${JSON.stringify(name.slice(0, 20))} for a name`, () => assert.ok(!isImageName(name)));
  }

  it("must part a reference", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    assert.deepEqual(parseReference(`r:5000/web:1.2@${digest}`), { name: "r:5000/web", tag: "1.2", digest });
    assert.deepEqual(parseReference("r:5000/web"), { name: "r:5000/web" });
    assert.equal(parseReference("web:-1"), undefined);
  });

  it("must make tags whole", () => {
    assert.equal(tagReference("web", "1.4.0"), "web:1.4.0");
    assert.equal(tagReference("web", "other:1"), "other:1");
    assert.equal(tagReference("web", "r:5000/other"), undefined);
    assert.equal(tagReference("web", "--x"), undefined);
  });

  it("must derive the ref that it always derived", () => {
    assert.equal(
      imageRef("web", { contextHash: "ab", dockerfile: "Dockerfile" }, undefined),
      "web:246d9f31a766",
    );
    assert.equal(
      imageRef("web", { contextHash: "ab", buildArgs: { A: "1" } }, "5a".repeat(16)),
      "web:1e7177b16b90",
    );
    assert.notEqual(
      imageRef("web", { buildArgs: { A: "1" } }, "5a"),
      imageRef("web", { buildArgs: { A: "1" } }, "5b"),
    );
  });

  it("must know its own refs", () => {
    assert.ok(isRefOf("web", "web:0123456789ab"));
    assert.ok(!isRefOf("web", "web:latest") && !isRefOf("web", "web2:0123456789ab"));
  });
});
