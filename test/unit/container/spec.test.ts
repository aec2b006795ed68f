import assert from "node:assert/strict";
import { createOptions } from "../../../provider/container/create-options";
import { compareLimits, engineLimitsUpdate, parseLimits } from "../../../provider/container/limits";
import { readLimits } from "../../../provider/container/limits-fields";
import type { ContainerSpec } from "../../../provider/container/spec";
import { sharesWritableMount } from "../../../provider/container/spec";
import { readSpec } from "../../../provider/container/spec-fields";
import { revisionOf, specHash } from "../../../provider/container/spec-hash";
import type { Properties } from "../../../provider/handler";
import { Fields } from "../../../provider/values";
import { LIMITS } from "../../support/rollout";

const SALT = "00112233445566778899aabbccddeeff";

const FULL: Properties = {
  command: ["serve", "--port", "3000"],
  entrypoint: ["/bin/tini", "--"],
  env: { B: "2", A: "1" },
  user: "1000:1000",
  workingDir: "/srv",
  hostname: "web",
  labels: { team: "a" },
  mounts: [
    { source: "files", target: "/files" },
    { source: "/etc/ssl", target: "/ssl", readOnly: true },
  ],
  tmpfs: ["/tmp", "/run:size=1m"],
  networks: ["inner", "outer"],
  extraHosts: ["db:10.0.0.2"],
  dns: ["1.1.1.1"],
  capAdd: ["NET_ADMIN"],
  capDrop: ["ALL"],
  devices: ["/dev/fuse", "/dev/a:/dev/b:r"],
  ulimits: [{ name: "nofile", soft: 1024 }],
  sysctls: { "net.core.somaxconn": "1024" },
  securityOpt: ["no-new-privileges"],
  readOnly: true,
  init: true,
  privileged: false,
  shmSize: "64m",
  logging: { driver: "journald", options: { tag: "web" } },
  stopSignal: "SIGINT",
  stopTimeout: "25s",
  ports: [
    { container: 3000, host: 80 },
    { container: 53, host: 53, hostIp: "127.0.0.1", protocol: "udp" },
    { container: 9000 },
  ],
  healthcheck: { command: ["/check"], interval: "5s" },
};

function read(inputs: Properties): ContainerSpec {
  const fields = new Fields(inputs);
  const spec = readSpec(fields);
  assert.deepEqual(fields.failures, []);
  return spec;
}

describe("specHash", () => {
  it("must never change for the same spec, or every user's containers would be swapped", () => {
    assert.equal(
      specHash(read({}), SALT),
      "1:96a7f3e5467d71191911cb57520c45f77e9f261e2fa11920cbe6319f02ce14c0",
    );
    assert.equal(
      specHash(read(FULL), SALT),
      "1:67452e3cff31c5ed15cf2eaf62f355aebbc45466e35a2c17d523da2074b224e9",
    );
    assert.equal(revisionOf("1:ab", "sha256:cd"), "fc717c43");
  });

  it("must be the same for what means the same", () => {
    const hash = specHash(read({ env: { A: "1", B: "2" }, ports: [{ container: 80 }] }), SALT);
    const same = {
      env: { B: "2", A: "1" },
      ports: [{ container: 80, protocol: "tcp" }],
      labels: {},
      dns: [],
      init: false,
    };
    assert.equal(specHash(read(same), SALT), hash);
  });

  it("must be the same in whatever order a list that has none is given, and another where the order counts", () => {
    const hash = specHash(read(FULL), SALT);
    for (const [key, value] of Object.entries(FULL)) {
      if (!Array.isArray(value) || value.length < 2) continue;
      const turned = specHash(read({ ...FULL, [key]: [...(value as unknown[])].reverse() }), SALT);
      assert.equal(turned === hash, !["command", "entrypoint", "dns"].includes(key), key);
    }
    const dns = { dns: ["1.1.1.1", "8.8.8.8"] };
    assert.notEqual(specHash(read(dns), SALT), specHash(read({ dns: [...dns.dns].reverse() }), SALT));
  });

  it("must be another for other secretFiles, and hold none of them", () => {
    const one = specHash(read({ secretFiles: { db: "a" } }), SALT);
    assert.notEqual(one, specHash(read({ secretFiles: { db: "b" } }), SALT));
    assert.equal(specHash(read({ secretFiles: {} }), SALT), specHash(read({}), SALT));
  });

  it("must be another for any changed field, and under another salt", () => {
    const hash = specHash(read(FULL), SALT);
    for (const key of Object.keys(FULL).filter((each) => each !== "privileged")) {
      const without = Object.fromEntries(Object.entries(FULL).filter(([each]) => each !== key));
      assert.notEqual(specHash(read(without), SALT), hash, key);
    }
    assert.notEqual(specHash(read(FULL), "another"), hash);
  });

  it("must not hold what the engine changes in place", () => {
    const limited = { ...FULL, restart: "no", memory: "1g", cpus: 2, pidsLimit: 10 };
    assert.equal(specHash(read(limited), SALT), specHash(read(FULL), SALT));
  });
});

describe("readSpec", () => {
  const failuresOf = (inputs: Properties): readonly string[] => {
    const fields = new Fields(inputs);
    readSpec(fields);
    return fields.failures.map(({ property, reason }) => `${property} ${reason}`);
  };

  it("must say every mistake with its path", () => {
    const wrong = {
      env: { "1x": "a", OK: 1 },
      labels: { "slipway.service": "x" },
      mounts: [
        { target: "files" },
        { type: "bind", source: "relative", target: "/x" },
        { source: "a/b", target: "/y" },
      ],
      networks: ["host", "inner"],
      ports: [
        { host: 80 },
        { container: 70_000 },
        { container: 80, hostIp: "1.1.1.1" },
        { container: 80, hots: 1 },
      ],
      devices: ["fuse"],
      capAdd: ["net"],
      workingDir: "srv",
      shmSize: "lots",
      stopTimeout: "soon",
      healthcheck: { http: { port: 80, path: "up" }, tcp: { port: 80 }, retries: 0 },
      ulimits: [{ name: "nofile" }],
    };
    assert.deepEqual(failuresOf(wrong), [
      "env.OK must be a text, not a number",
      'env has the name "1x": letters, digits and _ are allowed',
      "workingDir must be an absolute path",
      'labels cannot set "slipway.service"',
      "mounts[0].target must be an absolute path",
      "mounts[1].source must be an absolute path of the host",
      "mounts[2].source must be a volume's name: letters, digits, and _ . -",
      'networks "host" cannot be joined by another network',
      'capAdd[0] must be a capability such as "NET_ADMIN"',
      'devices[0] must be "/dev/a[:/dev/b[:rwm]]"',
      "ulimits[0].soft is required",
      'shmSize must be a size such as "64m"',
      'stopTimeout must be a duration such as "30s" or "2m", not "soon"',
      "ports[0].container is required",
      "ports[1].container must be a whole number from 1 to 65535, not 70000",
      "ports[2].hostIp needs a host port too",
      "ports[3].hots is not a known argument",
      "healthcheck.tcp needs exactly one way to ask: http, tcp or command",
      'healthcheck.http.path must begin with "/" and hold no spaces or control characters',
      "healthcheck.retries must be a whole number from 1 to 1000, not 0",
    ]);
  });

  it("must let pass what is not known yet", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const fields = new Fields({ env: { A: unknown }, ports: [{ container: unknown }], healthcheck: unknown });
    readSpec(fields);
    assert.equal(fields.unknown, true);
    assert.deepEqual(fields.failures, []);
  });
});

describe("createOptions", () => {
  it("must say the spec in the engine's words, without a restart policy", () => {
    const identity = {
      image: "sha256:1",
      labels: { "slipway.service": "web" },
      limits: LIMITS,
      publish: true,
    };
    const options = createOptions(read(FULL), identity);
    assert.deepEqual(options, {
      Image: "sha256:1",
      Labels: { team: "a", "slipway.service": "web" },
      Cmd: ["serve", "--port", "3000"],
      Entrypoint: ["/bin/tini", "--"],
      Env: ["B=2", "A=1"],
      User: "1000:1000",
      WorkingDir: "/srv",
      Hostname: "web",
      StopSignal: "SIGINT",
      StopTimeout: 25,
      ExposedPorts: { "3000/tcp": {}, "53/udp": {}, "9000/tcp": {} },
      Healthcheck: {
        Test: ["CMD", "/check"],
        Interval: 5000000000,
        Timeout: 30000000000,
        Retries: 3,
        StartPeriod: 0,
      },
      HostConfig: {
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        NetworkMode: "inner",
        PortBindings: {
          "3000/tcp": [{ HostIp: "", HostPort: "80" }],
          "53/udp": [{ HostIp: "127.0.0.1", HostPort: "53" }],
        },
        Mounts: [
          { Type: "volume", Target: "/files", ReadOnly: false, Source: "files" },
          { Type: "bind", Target: "/ssl", ReadOnly: true, Source: "/etc/ssl" },
        ],
        Tmpfs: { "/tmp": "", "/run": "size=1m" },
        ExtraHosts: ["db:10.0.0.2"],
        Dns: ["1.1.1.1"],
        CapAdd: ["NET_ADMIN"],
        CapDrop: ["ALL"],
        Devices: [
          { PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" },
          { PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" },
        ],
        Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 1024 }],
        Sysctls: { "net.core.somaxconn": "1024" },
        SecurityOpt: ["no-new-privileges"],
        ReadonlyRootfs: true,
        Init: true,
        ShmSize: 67108864,
        LogConfig: { Type: "journald", Config: { tag: "web" } },
      },
    });
  });

  it("must take no port of the host for a copy", () => {
    const identity = { image: "sha256:1", labels: {}, limits: LIMITS, publish: false };
    assert.deepEqual(createOptions(read(FULL), identity).HostConfig?.PortBindings, {});
  });
});

describe("limits", () => {
  it("must be read, compared with what the engine has, and put in its words", () => {
    const wanted = readLimits(
      new Fields({ memory: "64m", cpus: 0.5, pidsLimit: 10, restart: "on-failure:3" }),
    );
    assert.deepEqual(wanted, {
      restart: "on-failure:3",
      memory: 67_108_864,
      nanoCpus: 500_000_000,
      pidsLimit: 10,
    });
    const engine = engineLimitsUpdate(wanted);
    assert.deepEqual(parseLimits({ HostConfig: engine }), wanted);
    assert.equal(compareLimits(wanted, wanted), "none");
    assert.equal(compareLimits(wanted, LIMITS), "update");
    assert.equal(compareLimits(LIMITS, wanted), "replace", "the engine cannot take them away");
    assert.equal(engineLimitsUpdate(LIMITS).PidsLimit, -1);
  });

  it("must be refused when they make no sense", () => {
    const fields = new Fields({ memory: "1m", cpus: "many", pidsLimit: 1.5, restart: "sometimes" });
    readLimits(fields);
    assert.deepEqual(
      fields.failures.map(({ property }) => property),
      ["restart", "memory", "cpus", "pidsLimit"],
    );
  });
});

describe("sharesWritableMount", () => {
  it("must see a volume or folder that two would write to", () => {
    assert.equal(sharesWritableMount(read(FULL)), true);
    assert.equal(
      sharesWritableMount(read({ mounts: [{ source: "a1", target: "/a", readOnly: true }] })),
      false,
    );
    assert.equal(sharesWritableMount(read({ mounts: [{ target: "/own" }], tmpfs: ["/tmp"] })), false);
  });
});
