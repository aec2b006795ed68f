import assert from "node:assert/strict";
import { carriesPassword } from "../../../../provider/docker-host/daemon/config";
import { keysNotInForce, keysNotTold, settingsOf } from "../../../../provider/docker-host/daemon/settings";

/** As Docker 28.5 says it. */
const INFO = {
  Debug: false,
  LiveRestoreEnabled: true,
  DefaultRuntime: "runc",
  Runtimes: { "io.containerd.runc.v2": { path: "runc" }, runc: { path: "runc" } },
  Labels: ["zone=a"],
  RegistryConfig: {
    InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
    IndexConfigs: {
      "docker.io": { Mirrors: ["https://mirror.example/"], Secure: true },
      "registry.lan:5000": { Mirrors: [], Secure: false },
    },
    Mirrors: ["https://mirror.example/"],
  },
};

describe("what a daemon says of its configuration", () => {
  const idle = (config: object) => keysNotInForce({ ...config }, settingsOf(INFO));

  it("must name what daemon.json says and the daemon goes on without", () => {
    assert.deepEqual(
      idle({ "live-restore": true, debug: true, labels: ["zone=b"], "default-runtime": "kata" }),
      ["debug", "default-runtime", "labels"],
    );
    assert.deepEqual(idle({ "registry-mirrors": ["https://other.example"] }), ["registry-mirrors"]);
    assert.deepEqual(idle({ "insecure-registries": ["other.lan:5000"] }), ["insecure-registries"]);
    assert.deepEqual(idle({ runtimes: { kata: { path: "/opt/kata" } } }), ["runtimes"]);
  });

  it("must not miss what is told in another form, or beside more", () => {
    assert.deepEqual(
      idle({
        debug: false,
        labels: ["zone=a"],
        "registry-mirrors": ["https://Mirror.example"],
        "insecure-registries": ["registry.lan:5000"],
        runtimes: { runc: {} },
      }),
      [],
    );
    assert.deepEqual(keysNotInForce({ labels: [] }, settingsOf({ ...INFO, Labels: null })), []);
  });

  it("must know nothing of what a daemon does not tell, or writes in its own way", () => {
    const config = {
      "insecure-registries": ["10.1.2.3/8"],
      "max-concurrent-downloads": 5,
      features: { buildkit: true },
      debug: "yes",
    };
    assert.deepEqual(idle(config), []);
    assert.deepEqual(keysNotTold(config, settingsOf(INFO)), Object.keys(config).sort());
    assert.deepEqual(
      keysNotInForce({ debug: true, labels: ["a=b"], "registry-mirrors": ["x"] }, settingsOf({})),
      [],
    );
  });
});

describe("carriesPassword", () => {
  it("must find an address with a password anywhere, and no other", () => {
    assert.ok(carriesPassword({ proxies: { "https-proxy": "http://ann:w%40rd@proxy:3128" } }));
    assert.ok(carriesPassword({ "registry-mirrors": ["https://:word@mirror"] }));
    const open = {
      proxies: { "http-proxy": "http://proxy:3128", "no-proxy": "a@b,c:d" },
      labels: ["u@h:1"],
      mtu: 1,
    };
    assert.ok(!carriesPassword(open));
    assert.ok(!carriesPassword({ "http-proxy": "http://ann@proxy:3128", url: "http://h:80/a@b" }));
  });
});
