import assert from "node:assert/strict";
import type Docker from "dockerode";
import { surveyContainers } from "../../../provider/health-policy/survey";

interface Given {
  readonly name: string;
  readonly state?: string;
  readonly health?: "none" | "healthy" | "unhealthy" | "starting" | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An engine with these containers, and what it was asked. */
function engineWith(given: readonly Given[], vanished: readonly string[] = []) {
  const inspected: string[] = [];
  const filters: unknown[] = [];
  const docker = {
    listContainers: (query: { readonly filters?: { readonly health?: readonly string[] } }) => {
      filters.push(query.filters);
      const wanted = query.filters?.health;
      return Promise.resolve(
        given
          .filter(({ health = "none" }) => wanted === undefined || wanted.includes(health))
          .map(({ name, state = "running", labels = {} }) => ({
            Id: `id-${name}`,
            Names: [`/other/alias`, `/${name}`],
            Image: "web:1",
            ImageID: "sha256:1",
            Created: 0,
            Labels: labels,
            State: state,
            HostConfig: { NetworkMode: "shop" },
            NetworkSettings: { Networks: { shop: { IPAddress: "172.18.0.2" } } },
          })),
      );
    },
    getContainer: (id: string) => ({
      inspect: () => {
        const name = id.slice(3);
        inspected.push(name);
        const each = given.find((other) => other.name === name);
        if (vanished.includes(name))
          return Promise.reject(Object.assign(new Error("gone"), { statusCode: 404 }));
        const State = { Status: each?.state ?? "running", Health: { Status: each?.health ?? "none" } };
        return Promise.resolve({ Id: id, Name: `/${name}`, RestartCount: 7, State });
      },
    }),
  } as unknown as Docker;
  return { docker, inspected, filters };
}

const many = (count: number, health: Given["health"]): readonly Given[] =>
  Array.from({ length: count }, (_, at) => ({ name: `web-${String(at).padStart(3, "0")}`, health }));

describe("a survey of containers", () => {
  it("must know all of a few wholly", async () => {
    const { docker } = engineWith([{ name: "b" }, { name: "a", health: "healthy" }]);
    const found = await surveyContainers(docker, [], "for-a-report");
    assert.deepEqual(
      found.map(({ container, isWhole }) => [container.name, container.restartCount, isWhole]),
      [
        ["a", 7, true],
        ["b", 7, true],
      ],
    );
  });

  it("must ask for no more details of many than two turns give, and for those first that need it", async () => {
    const ours = { "slipway.service": "web" };
    const needy: readonly Given[] = [
      { name: "z1", health: "unhealthy" },
      { name: "z2", health: "starting" },
      { name: "z3", state: "restarting" },
      { name: "z4", state: "exited", labels: ours },
      { name: "z5", state: "dead", labels: ours },
    ];
    const { docker, inspected } = engineWith([...many(200, "healthy"), ...needy]);
    const found = await surveyContainers(docker, [], "for-a-report");
    assert.equal(found.length, 205);
    assert.deepEqual(inspected.slice(0, 5), ["z1", "z2", "z3", "z4", "z5"]);
    assert.equal(inspected.length, 40);
    const glance = found.find(({ isWhole }) => !isWhole)?.container;
    assert.deepEqual(
      [glance?.health, glance?.state, glance?.address, glance?.networkMode, glance?.hasDockerHealthcheck],
      ["healthy", "running", "172.18.0.2", "shop", true],
    );
  });

  it("must ask for no details that no repair needs, where only repairs are looked for", async () => {
    const { docker, inspected } = engineWith([...many(5, "healthy"), { name: "z1", health: "unhealthy" }]);
    await surveyContainers(docker, [], "for-repairs");
    assert.deepEqual(inspected, ["z1"]);
  });

  it("must know all that ail, however many they are", async () => {
    const { docker, inspected } = engineWith(many(100, "unhealthy"));
    const found = await surveyContainers(docker, [], "for-a-report");
    assert.equal(inspected.length, 100);
    assert.ok(found.every(({ container, isWhole }) => isWhole && container.health === "unhealthy"));
  });

  it("must take one for healthy only where Docker checks it", async () => {
    const { docker } = engineWith([...many(60, "healthy"), { name: "zz" }]);
    const found = await surveyContainers(docker, [], "for-a-report");
    assert.equal(found.find(({ container }) => container.name === "zz")?.container.health, "none");
  });

  it("must ask with the labels of its scope in every list, and leave out what vanishes", async () => {
    const { docker, filters } = engineWith([{ name: "a" }, { name: "b" }], ["a"]);
    const found = await surveyContainers(docker, ["team=shop"], "for-a-report");
    assert.deepEqual(
      found.map(({ container }) => container.name),
      ["b"],
    );
    const label = ["team=shop"];
    assert.deepEqual(filters, [
      { label },
      { label, health: ["unhealthy", "starting"] },
      { label, health: ["none"] },
    ]);
  });
});
