import assert from "node:assert/strict";
import { claimMachine, claimOf, forgetClaim, otherClaim } from "../../../provider/docker-host/claims";

const ONE = "1".repeat(32);
const at = (address: string, machineId: string) => ({ address, machineId });
const claim = (urn: string, address: string, machineId: string, abandonUnreachable = false): void =>
  claimMachine(urn, { address, machineId, abandonUnreachable });

describe("a DockerHost's claim", () => {
  afterEach(() => {
    for (const address of ["a:22", "b:22"]) for (const urn of ["one", "two"]) forgetClaim(urn, address);
  });

  it("must hold a machine against the address that was replaced", () => {
    claim("one", "a:22", ONE);
    assert.equal(otherClaim("one", at("a:22", ONE)), undefined);
    claim("one", "b:22", ONE);
    assert.equal(otherClaim("one", at("a:22", ONE)), "b:22");
  });

  it("must hold a machine against another name of the resource, with and without a machine-id", () => {
    claim("two", "a:22", "");
    assert.equal(otherClaim("one", at("a:22", ONE)), "a:22");
    assert.equal(otherClaim("one", at("b:22", "")), undefined);
  });

  it("must be gone with its resource, and not with the one that it replaced", () => {
    claim("one", "b:22", ONE, true);
    forgetClaim("one", "a:22");
    assert.equal(claimOf("one")?.abandonUnreachable, true);
    forgetClaim("one", "b:22");
    assert.equal(claimOf("one"), undefined);
  });
});
