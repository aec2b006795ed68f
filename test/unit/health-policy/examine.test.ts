import assert from "node:assert/strict";
import type Docker from "dockerode";
import type { HealthStatus, ObservedContainer } from "../../../provider/container/observed";
import { formatHealthcheck } from "../../../provider/health/label";
import { HEALTHCHECK_DEFAULTS, type Healthcheck, type HealthTest } from "../../../provider/health/policy";
import { effectiveCheck, examine } from "../../../provider/health-policy/examine";
import { readPolicy } from "../../../provider/health-policy/inputs";
import { observeHost } from "../../../provider/health-policy/observe";
import type { HostSession } from "../../../provider/host/session";
import { Fields } from "../../../provider/values";
import { IdleClock } from "../../support/idle-clock";
import { observedContainer } from "../../support/observed-container";

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

describe("a check of our label beside a HEALTHCHECK of the image's", () => {
  const check = (test: HealthTest): Healthcheck => ({ ...HEALTHCHECK_DEFAULTS, test });
  const HTTP = check({ kind: "http", port: 3_000, path: "/up" });
  const DOCKERS = check({ kind: "command", argv: ["true"] });
  /** As inspected, and as a list alone gives it. */
  const both = (health: HealthStatus, label?: Healthcheck): readonly ObservedContainer[] => {
    const labels = label === undefined ? {} : { "slipway.healthcheck": formatHealthcheck(label) };
    const container = observedContainer({ health, labels, hasDockerHealthcheck: true, address: undefined });
    return [{ ...container, dockerHealthcheck: DOCKERS }, container];
  };
  const healthOf = async (container: ObservedContainer): Promise<string> => {
    const context = {
      ...{ session: {} as HostSession, docker: {} as unknown as Docker, clock: new IdleClock() },
      ...{ signal: new AbortController().signal, longestProbeMs: 1_000 },
      details: "for-a-report",
    } as const;
    return (await examine(container, effectiveCheck(container), context)).health;
  };

  it("must be the one that counts, whatever Docker says", async () => {
    for (const health of ["healthy", "unhealthy", "starting"] as const)
      for (const container of both(health, HTTP)) {
        assert.deepEqual(effectiveCheck(container), HTTP);
        // it has no address to be asked at, which shows that it was to be asked
        assert.equal(await healthOf(container), "unchecked");
      }
  });

  it("must leave Docker its word where a command is the check, or the label has none", async () => {
    for (const label of [undefined, check({ kind: "command", argv: ["old"] })]) {
      const [inspected, listed] = both("healthy", label);
      assert.ok(inspected !== undefined && listed !== undefined);
      assert.deepEqual(effectiveCheck(inspected), DOCKERS);
      for (const each of [inspected, listed]) assert.equal(await healthOf(each), "healthy");
      const [sick] = both("unhealthy", label);
      assert.equal(sick && (await healthOf(sick)), "unhealthy");
    }
  });
});
