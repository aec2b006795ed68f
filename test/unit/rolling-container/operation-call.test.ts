import assert from "node:assert/strict";
import type Docker from "dockerode";
import { callEngine } from "../../../provider/rolling-container/operation-call";
import { IdleClock } from "../../support/idle-clock";

const ENDLESS = new AbortController().signal;

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
  await callEngine(docker as unknown as Docker, operation, (name) => name, new IdleClock(), ENDLESS);
  return calls;
}

/** The answers are statuses, one a call. */
async function untagging(answers: readonly number[]): Promise<number> {
  let calls = 0;
  const remove = (): Promise<void> => {
    const statusCode = answers[calls++] ?? 200;
    return statusCode === 200
      ? Promise.resolve()
      : Promise.reject(Object.assign(new Error(), { statusCode }));
  };
  const docker = { getImage: () => ({ remove }) } as unknown as Docker;
  const operation = { kind: "untag", tag: "slipway/kept:web-aaaaaaaa" } as const;
  await callEngine(docker, operation, (name) => name, new IdleClock(), ENDLESS);
  return calls;
}

describe("callEngine, untag", () => {
  it("must wait for a container that is being removed, and leave the tag to one that stays", async () => {
    assert.equal(await untagging([409, 409]), 3);
    assert.equal(await untagging(Array(20).fill(409)), 5);
  });

  it("must take a tag that is gone for done, and nothing else", async () => {
    assert.equal(await untagging([404]), 1);
    await assert.rejects(untagging([500]));
  });
});

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
