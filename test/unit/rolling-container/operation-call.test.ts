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

describe("callEngine, connect and disconnect", () => {
  // as the engine answers, of 20.10 and of today
  const refusal = (statusCode: number, message: string): Promise<never> =>
    Promise.reject(Object.assign(new Error(message), { statusCode, json: { message } }));
  const call = (
    kind: "connect" | "disconnect",
    answer: () => Promise<unknown>,
    networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>> = {},
  ): Promise<unknown> => {
    const docker = {
      getNetwork: () => ({ connect: answer, disconnect: answer }),
      getContainer: () => ({ inspect: () => Promise.resolve({ NetworkSettings: { Networks: networks } }) }),
    } as unknown as Docker;
    const operation = {
      kind,
      container: { name: "web-2.next" },
      network: "inner",
      aliases: ["web"],
    } as const;
    return callEngine(docker, operation, (name) => name, new IdleClock(), ENDLESS);
  };

  it("must take it for done where the container is not in the network any more, and nothing else", async () => {
    for (const the of ["", "the "])
      await call("disconnect", () => refusal(500, `container c1 is not connected to ${the}network inner`));
    await assert.rejects(call("disconnect", () => refusal(500, "the driver failed")));
    await assert.rejects(call("disconnect", () => refusal(404, "network inner not found")));
  });

  it("must take it for done where the container is in the network already, under these names", async () => {
    const there = (): Promise<never> =>
      refusal(403, "endpoint with name web-2.next already exists in network inner");
    await call("connect", there, { inner: { Aliases: ["c1", "web"] } });
    await assert.rejects(call("connect", there, { inner: { Aliases: null } }), /already exists/);
    await assert.rejects(call("connect", there), /already exists/);
    await assert.rejects(
      call("connect", () => refusal(500, "no address is left"), { inner: { Aliases: ["web"] } }),
    );
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
