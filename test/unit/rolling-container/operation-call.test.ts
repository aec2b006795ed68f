import assert from "node:assert/strict";
import type Docker from "dockerode";
import { callEngine } from "../../../provider/rolling-container/operation-call";

/** The calls made to remove a network in which these containers are. */
async function removing(containers: readonly object[]): Promise<readonly unknown[]> {
  const calls: unknown[] = [];
  const docker = {
    listContainers: ({ all, filters }: { readonly all: boolean; readonly filters: object }) => {
      calls.push({ all, filters });
      return Promise.resolve(containers);
    },
    getNetwork: (name: string) => ({ remove: () => Promise.resolve(void calls.push(`remove ${name}`)) }),
  };
  const operation = { kind: "remove-network", name: "inner" } as const;
  await callEngine(docker as unknown as Docker, operation, (name) => name, new AbortController().signal);
  return calls;
}

describe("callEngine, remove-network", () => {
  const asked = { all: true, filters: { network: ["inner"] } };

  it("must remove a network in which no container is", async () => {
    assert.deepEqual(await removing([]), [asked, "remove inner"]);
  });

  // the engine itself refuses for running ones only
  it("must leave a network that a stopped container needs at its next start", async () => {
    assert.deepEqual(await removing([{ State: "exited" }]), [asked]);
  });
});
