import assert from "node:assert/strict";
import { claims, suspendClaim, versionsElsewhere } from "../../../../provider/docker-host/fleet/claims";
import { amidOthers } from "../../../../provider/docker-host/fleet/elsewhere";
import { SlipwayError } from "../../../../provider/errors";
import { PartialFailure } from "../../../../provider/handler";

const ONE = "1".repeat(32);
const at = (address: string, machineId: string) => ({ address, machineId });
const claim = (urn: string, address: string, machineId: string, abandonUnreachable = false): void =>
  claims.claim(urn, { address, machineId, abandonUnreachable, target: `root@${address}`, version: "28.5.2" });

describe("a DockerHost's claim", () => {
  afterEach(() => {
    for (const address of ["a:22", "b:22"]) for (const urn of ["one", "two"]) claims.forget(urn, address);
  });

  it("must hold a machine against the address that was replaced", () => {
    claim("one", "a:22", ONE);
    assert.equal(claims.elsewhere("one", at("a:22", ONE)), undefined);
    claim("one", "b:22", ONE);
    assert.equal(claims.elsewhere("one", at("a:22", ONE)), "b:22");
  });

  it("must hold a machine against another name of the resource, with and without a machine-id", () => {
    claim("two", "a:22", "");
    assert.equal(claims.elsewhere("one", at("a:22", ONE)), "a:22");
    assert.equal(claims.elsewhere("one", at("b:22", "")), undefined);
  });

  it("must be gone with its resource, and not with the one that it replaced", () => {
    claim("one", "b:22", ONE, true);
    claims.forget("one", "a:22");
    assert.equal(claims.of("one")?.abandonUnreachable, true);
    claims.forget("one", "b:22");
    assert.equal(claims.of("one"), undefined);
  });

  it("must tell what the others run, and nothing of one that is being changed", () => {
    claim("one", "a:22", ONE);
    assert.equal(versionsElsewhere("one"), undefined);
    claim("two", "b:22", "");
    assert.equal(versionsElsewhere("three"), "28.5.2 on root@a:22, root@b:22");
    suspendClaim("two");
    assert.equal(versionsElsewhere("three"), "28.5.2 on root@a:22");
  });

  it("must be in the error of a host that a fleet ends at, whether something was changed there or not", async () => {
    claim("one", "a:22", ONE);
    const parts = {
      code: "unhealthy",
      what: "changing",
      host: "root@b:22",
      why: "no",
      left: "It is off",
    } as const;
    const error = new SlipwayError(parts);
    const told = "changing on root@b:22: no. It is off. Of the other hosts of this run: 28.5.2 on root@a:22.";
    for (const thrown of [error, new PartialFailure("id", { version: "" }, error)]) {
      await assert.rejects(
        amidOthers("two", () => Promise.reject(thrown)),
        { name: thrown.name, message: told },
      );
    }
    await assert.rejects(
      amidOthers("one", () => Promise.reject(error)),
      error,
    );
  });
});
