import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { DockerHost } from "../../../../provider/docker-host/resource";
import { waitsFor } from "../../../../provider/docker-host/fleet/rollout";
import { registrations } from "../../../support/pulumi-mocks";

const args = (host: string) => ({ connection: { host }, dockerVersion: "28.5.2" });

/** A fleet as a program makes it: each host names all before it. */
async function fleet(size: number, parallelism?: number) {
  const registered = await registrations(() => {
    const hosts: DockerHost[] = [];
    for (let at = 0; at < size; at++) {
      const rollout = { after: [...hosts], ...(parallelism === undefined ? {} : { parallelism }) };
      hosts.push(new DockerHost(`web${at}`, { ...args(`192.0.2.${at}`), rollout }));
    }
  });
  return [...registered.values()];
}

describe("a rollout over DockerHosts", () => {
  it("must have each host wait for all before it", async () => {
    const hosts = await fleet(3);
    assert.deepEqual(
      hosts.map(({ dependsOn }) => [...dependsOn].sort()),
      [[], ["web0"], ["web0", "web1"]],
    );
  });

  it("must have at most so many in change at a time as parallelism says", async () => {
    for (const parallelism of [1, 2, 3, 7]) {
      const waits = (await fleet(7, parallelism)).map(({ dependsOn }) => new Set(dependsOn));
      // two hosts that do not wait for one another may be in change at the same time
      waits.forEach((before, at) => {
        const beside = waits.slice(0, at).filter((_, other) => !before.has(`web${other}`));
        assert.ok(beside.length < parallelism, `web${at} beside ${beside.length} of ${parallelism}`);
      });
    }
  });

  it("must be an order and nothing else: no input, no diff", async () => {
    const [, second] = await fleet(2);
    assert.ok(second !== undefined && !("rollout" in second.inputs));
  });

  it("must keep what the program itself depends on, and take hosts that are known later", async () => {
    const registered = await registrations(() => {
      const first = new DockerHost("first", args("192.0.2.1"));
      const other = new DockerHost("other", args("192.0.2.2"));
      const after = [pulumi.output(first)];
      new DockerHost("last", { ...args("192.0.2.3"), rollout: { after } }, { dependsOn: other });
    });
    assert.deepEqual([...(registered.get("last")?.dependsOn ?? [])].sort(), ["first", "other"]);
  });

  it("must refuse a parallelism that is no number of hosts", () => {
    for (const parallelism of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => waitsFor([], parallelism), { code: "invalid-input" });
    }
    assert.deepEqual(waitsFor(["a"], 5), []);
  });
});
