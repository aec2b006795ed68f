import assert from "node:assert/strict";
import Docker from "dockerode";
import { observeContainer, observeContainers, parseInspect } from "../../../provider/container/inspect";

/** As 20.10.24 (API 1.41) answers, shortened. */
const DEBIAN_12 = {
  Id: "4f1c",
  Created: "2026-01-02T03:04:05.678901234Z",
  Path: "/app",
  State: {
    Status: "running",
    Running: true,
    OOMKilled: false,
    ExitCode: 0,
    StartedAt: "2026-01-02T03:04:06.1Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    Health: {
      Status: "unhealthy",
      FailingStreak: 7,
      Log: [
        { Start: "2026-01-02T03:05:06Z", ExitCode: 1, Output: "first" },
        { Start: "2026-01-02T03:05:36Z", ExitCode: 1, Output: "connection refused" },
      ],
    },
  },
  Image: "sha256:ab",
  Name: "/web",
  RestartCount: 2,
  HostConfig: { NetworkMode: "default", RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 } },
  Config: {
    Image: "web:1",
    Labels: { "slipway.service": "web" },
    Healthcheck: { Test: ["CMD", "/app", "check"], Interval: 5000000000, Retries: 2 },
  },
  NetworkSettings: {
    Ports: {
      "3000/tcp": [
        { HostIp: "0.0.0.0", HostPort: "80" },
        { HostIp: "::", HostPort: "80" },
      ],
      "9000/udp": null,
    },
    IPAddress: "172.17.0.2",
    Networks: { bridge: { IPAddress: "172.17.0.2", GlobalIPv6Address: "" } },
  },
};

/** As 26.1.5 (API 1.45) answers for an exited one, shortened. */
const DEBIAN_13 = {
  Id: "99aa",
  Created: "2026-02-02T00:00:00Z",
  State: {
    Status: "exited",
    Running: false,
    OOMKilled: true,
    ExitCode: 137,
    Error: "",
    StartedAt: "2026-02-02T00:00:01Z",
    FinishedAt: "2026-02-02T00:00:02Z",
  },
  Image: "sha256:cd",
  Name: "/job",
  RestartCount: 0,
  HostConfig: { NetworkMode: "back", RestartPolicy: { Name: "", MaximumRetryCount: 0 } },
  Config: { Image: "job@sha256:ef", Labels: null },
  NetworkSettings: {
    Ports: {},
    Networks: {
      front: { IPAddress: "", GlobalIPv6Address: "", DNSNames: ["job"] },
      back: { IPAddress: "", GlobalIPv6Address: "", DNSNames: ["job"] },
    },
  },
};

describe("parseInspect", () => {
  it("must read a running container of 20.10", () => {
    const port = { container: 3000, protocol: "tcp", host: 80 };
    assert.deepEqual(parseInspect(DEBIAN_12), {
      id: "4f1c",
      name: "web",
      imageId: "sha256:ab",
      image: "web:1",
      labels: { "slipway.service": "web" },
      state: "running",
      health: "unhealthy",
      exitCode: 0,
      failingStreak: 7,
      oomKilled: false,
      restartCount: 2,
      startedAt: "2026-01-02T03:04:06.1Z",
      createdAt: "2026-01-02T03:04:05.678901234Z",
      address: "172.17.0.2",
      networkMode: "default",
      networks: ["bridge"],
      restartPolicy: "unless-stopped",
      ports: [
        { ...port, hostIp: "0.0.0.0" },
        { ...port, hostIp: "::" },
      ],
      hasDockerHealthcheck: true,
      dockerHealthcheck: {
        test: { kind: "command", argv: ["/app", "check"] },
        intervalMs: 5_000,
        timeoutMs: 30_000,
        retries: 2,
        startPeriodMs: 0,
      },
      healthOutput: "connection refused",
    });
  });

  it("must read an exited container of 26.1", () => {
    const { state, exitCode, oomKilled, address, networks, restartPolicy, labels, health, ports } =
      parseInspect(DEBIAN_13);
    assert.deepEqual(
      { state, exitCode, oomKilled, address, networks, restartPolicy, labels, health, ports },
      {
        state: "exited",
        exitCode: 137,
        oomKilled: true,
        address: undefined,
        networks: ["back", "front"],
        restartPolicy: "no",
        labels: {},
        health: "none",
        ports: [],
      },
    );
  });

  it("must take the IPv6 address where there is no other", () => {
    const networks = { v6: { IPAddress: "", GlobalIPv6Address: "fd00::2" } };
    assert.equal(parseInspect({ Id: "1", NetworkSettings: { Networks: networks } }).address, "fd00::2");
  });

  it("must refuse what is no container", () => {
    assert.throws(() => parseInspect({ message: "no such container" }), /has no id/);
  });
});

describe("observeContainers", () => {
  /** An engine that answers inspects from a table; a number is an error status. */
  function engine(answers: Readonly<Record<string, unknown>>, asked: unknown[] = []): Docker {
    const docker = new Docker({ host: "nowhere", port: 1, protocol: "http" });
    docker.listContainers = ((options: unknown) => {
      asked.push(options);
      return Promise.resolve(Object.keys(answers).map((Id) => ({ Id })));
    }) as Docker["listContainers"];
    docker.getContainer = ((id: string) => ({
      inspect: () => {
        const answer = answers[id];
        if (typeof answer !== "number") return Promise.resolve(answer);
        return Promise.reject(Object.assign(new Error("no"), { statusCode: answer }));
      },
    })) as unknown as Docker["getContainer"];
    return docker;
  }

  it("must leave out what vanished since the list, and sort by name", async () => {
    const asked: unknown[] = [];
    const docker = engine({ a: DEBIAN_12, b: 404, c: DEBIAN_13 }, asked);
    const found = await observeContainers(docker, ["slipway.service", "a=b"]);
    assert.deepEqual(
      found.map(({ name }) => name),
      ["job", "web"],
    );
    assert.deepEqual(asked, [{ all: true, filters: { label: ["slipway.service", "a=b"] } }]);
  });

  it("must not take another failure for an absence", async () => {
    await assert.rejects(observeContainer(engine({ a: 500 }), "a"), { statusCode: 500 });
    assert.equal(await observeContainer(engine({ a: 404 }), "a"), undefined);
  });
});
