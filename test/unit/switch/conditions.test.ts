import assert from "node:assert/strict";
import { bridgedConditions, type SwitchWish } from "../../../provider/switch/conditions";
import { parseCopyLook } from "../../../provider/switch/observe-copy";
import { parseObservedSwitch } from "../../../provider/switch/observe-switch";
import type { ObservedSwitch } from "../../../provider/switch/observed-switch";
import { parseEvent, resultOf } from "../../../provider/switch/switch-event";

const BRIDGE = {
  Id: "f".repeat(64),
  Name: "bridge",
  Driver: "bridge",
  Options: { "com.docker.network.bridge.name": "docker0" },
  IPAM: { Config: [{ Subnet: "172.17.0.0/16", Gateway: "172.17.0.1" }] },
};
const ENGINE = {
  info: { SecurityOptions: ["name=apparmor", "name=seccomp,profile=default"], LiveRestoreEnabled: true },
  networks: [BRIDGE],
};
const SEEN = `rules 0
root
iptables
ip6tables
docker-rules
address6 80 80 00000000000000000000000000000001 lo
address6 20 80 fe800000000000000000000000000001 eth0
address6 00 20 20010db8000000000000000000000009 eth0
address6 00 80 20010db8000000000000000000000005 eth0
docker
`;
const HOST = parseObservedSwitch(SEEN, ENGINE);
const WISH: SwitchWish = {
  networkMode: "default",
  ports: [{ container: 3000, host: 80, protocol: "tcp" }],
  sharesWritableMount: false,
};

describe("bridgedConditions", () => {
  const why = (host: Partial<ObservedSwitch>, wish: Partial<SwitchWish> = {}): string => {
    const choice = bridgedConditions({ ...HOST, ...host }, { ...WISH, ...wish });
    return choice.kind === "plain" ? choice.why : choice.kind;
  };

  it("must choose bridged where everything is there", () => {
    const choice = bridgedConditions(HOST, WISH);
    assert.equal(choice.kind, "bridged");
    assert.equal(choice.network.bridge, "docker0");
  });

  it("must say why not", () => {
    assert.match(why({ root: false }), /root/);
    assert.match(why({ dockerCli: false }), /no docker command/);
    assert.match(why({ rootless: true }), /rootless/);
    assert.match(why({ iptables: false }), /iptables-save/);
    assert.match(why({ dockerRules: false }), /no port rules/);
    assert.match(why({ ip6tables: false }), /ip6tables/);
    assert.equal(
      why(
        { ip6tables: false },
        { ports: [{ container: 3000, host: 80, protocol: "tcp", hostIp: "127.0.0.1" }] },
      ),
      "bridged",
    );
    assert.match(why({}, { networkMode: "host" }), /network is host/);
    assert.match(why({}, { networkMode: "container:abc" }), /container:abc/);
    assert.match(why({}, { networkMode: "missing" }), /not there/);
    assert.match(why({}, { ports: [{ container: 1, host: 1, protocol: "sctp" }] }), /sctp/);
    assert.match(why({}, { ports: [{ container: 1, protocol: "tcp" }] }), /publishes no port/);
    assert.match(why({}, { sharesWritableMount: true }), /one mount/);
    const [network] = HOST.networks;
    assert.ok(network);
    assert.match(why({ networks: [{ ...network, driver: "macvlan" }] }), /macvlan/);
    assert.match(why({ networks: [{ ...network, gatewayMode: "routed" }] }), /routed/);
    assert.match(why({ networks: [{ ...network, internal: true }] }), /internal/);
  });

  it("must name what is not without a gap even so", () => {
    const ports = [{ container: 53, host: 53, protocol: "udp" as const }];
    const choice = bridgedConditions({ ...HOST, liveRestore: false }, { ...WISH, ports });
    assert.equal(choice.kind === "bridged" && choice.cautions.length, 2);
  });
});

describe("parseObservedSwitch", () => {
  it("must read the host's addresses, networks and engine", () => {
    assert.equal(HOST.host6, "2001:0db8:0000:0000:0000:0000:0000:0005", "not a deprecated one");
    assert.equal(HOST.liveRestore, true);
    assert.equal(HOST.rootless, false);
    const rootless = { ...ENGINE, info: { SecurityOptions: ["name=rootless"] } };
    assert.equal(parseObservedSwitch(SEEN, rootless).rootless, true);
    assert.equal(HOST.program, undefined);
    assert.equal(HOST.networks[0]?.gateway, "172.17.0.1");
  });

  it("must read a program at work, the files it leaves, and what a dead one left", () => {
    assert.deepEqual(
      ["files\nrules 0\n", "rules 0\n"].map((text) => parseObservedSwitch(text).files),
      [true, false],
    );
    const working = parseObservedSwitch("program 812 nextstarted\nrules 5\ncopy alive\n");
    assert.deepEqual(working.program, { pid: 812, phase: "nextstarted" });
    assert.equal(working.copyAlive, true);
    const dead = parseObservedSwitch("unfinished oldstopped\nrules 5\ncopy dead\n");
    assert.deepEqual([dead.unfinished, dead.rules, dead.copyAlive], ["oldstopped", 5, false]);
  });
});

describe("parseCopyLook", () => {
  it("must find where Docker sends the copy's connections, and its own docker-proxy only", () => {
    const rules =
      "-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 32768 -j DNAT --to-destination 172.17.0.3:3000\n";
    const proxy =
      "/usr/bin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port 32768 -container-ip 172.17.0.3 \n";
    const expected = { address: "172.17.0.3", address6: undefined, proxy: true };
    assert.deepEqual(parseCopyLook(rules + proxy, 32768), expected);
    assert.equal(parseCopyLook(rules + proxy.replace("32768", "32769"), 32768).proxy, false);
    assert.equal(parseCopyLook(proxy, 32768).address, undefined);
  });
});

describe("resultOf", () => {
  it("must read the end of a log, and call one without an end unknown", () => {
    const events = [
      "0 begun plain",
      "12 stopping",
      "not an event",
      "900 end kept 312 the candidate: not healthy",
    ]
      .map(parseEvent)
      .filter((event) => event !== undefined);
    const { kind, gapMs, why } = resultOf(events, "lost");
    assert.deepEqual([kind, gapMs, why], ["kept", 312, "the candidate: not healthy"]);
    assert.deepEqual(resultOf(events.slice(0, 2), "lost").kind, "unknown");
  });
});
