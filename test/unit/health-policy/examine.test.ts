import assert from "node:assert/strict";
import type Docker from "dockerode";
import { readPolicy } from "../../../provider/health-policy/inputs";
import { observeHost } from "../../../provider/health-policy/observe";
import type { HostSession } from "../../../provider/host/session";
import { Fields } from "../../../provider/values";
import { IdleClock } from "../../support/idle-clock";

const COUNT = 60;

/** An engine on which so many containers of ours run that a look does not ask for the details of all. */
function engineOf(health: "healthy" | "none"): Docker {
  const all = Array.from({ length: COUNT }, (_, at) => ({
    Id: `id-${at}`,
    Names: [`/well-${at}`],
    Image: "well:1",
    ImageID: "sha256:1",
    Created: 0,
    Labels: { "slipway.service": `well-${at}` },
    State: "running",
    HostConfig: { NetworkMode: "none" },
    NetworkSettings: { Networks: {} },
  }));
  const Healthcheck = { Test: ["CMD", "true"] };
  return {
    listContainers: ({ filters = {} }: { readonly filters?: Readonly<Record<string, readonly string[]>> }) =>
      Promise.resolve(
        filters.name !== undefined || (filters.health !== undefined && !filters.health.includes(health))
          ? []
          : all,
      ),
    getContainer: (id: string) => ({
      inspect: () =>
        Promise.resolve({
          Id: id,
          Name: `/well-${id.slice(3)}`,
          Config: {
            Labels: { "slipway.service": `well-${id.slice(3)}` },
            ...(health === "none" ? {} : { Healthcheck }),
          },
          State: { Status: "running", ...(health === "none" ? {} : { Health: { Status: health } }) },
        }),
    }),
  } as unknown as Docker;
}

async function healthOfAll(health: "healthy" | "none"): Promise<readonly string[]> {
  const look = {
    ...{ session: { target: "root@host:22", hostKey: "" } as HostSession, docker: engineOf(health) },
    ...{ clock: new IdleClock(), signal: new AbortController().signal, longestProbeMs: 1_000 },
    details: "for-a-report",
  } as const;
  const policy = readPolicy(new Fields({ name: "health", hosts: [{ host: "host" }] }));
  const { containers } = await observeHost(policy, look);
  return containers.map((each) => each.health);
}

describe("the health of many containers", () => {
  it("must be what Docker says, of those too whose details were not asked for", async () => {
    assert.deepEqual(await healthOfAll("healthy"), Array(COUNT).fill("healthy"));
  });

  it("must be unchecked where nothing checks them", async () => {
    assert.deepEqual(await healthOfAll("none"), Array(COUNT).fill("unchecked"));
  });
});
