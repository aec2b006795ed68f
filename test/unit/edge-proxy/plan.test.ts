import assert from "node:assert/strict";
import type { ObservedContainer } from "../../../provider/container/observed";
import { parseProxy } from "../../../provider/edge-proxy/inputs";
import { formatSteps } from "../../../provider/edge-proxy/operation";
import { outputsOf } from "../../../provider/edge-proxy/outputs";
import { planProxy, planRemoval } from "../../../provider/edge-proxy/plan";
import { refuseForeign } from "../../../provider/edge-proxy/refuse";
import { formatRouteFile } from "../../../provider/proxy/route-file";
import { planLeft } from "../../../provider/edge-proxy/plan-exchange";
import type { ObservedSwitch } from "../../../provider/switch/observed-switch";
import { container, desired, folder, found, plan, secrets, WEB } from "../../support/edge-plan";
import { observedSwitch } from "../../support/observed-switch";

describe("planProxy", () => {
  it("must be empty when all is as it should be", () => {
    assert.equal(plan(desired(), found(desired())), "");
  });

  it("must try the files before the container, and leave nothing when they are refused", () => {
    const bare = { live: undefined, folder: undefined, network: undefined };
    assert.equal(
      plan(desired(), found(desired(), bare)),
      `create network slipway (missing) <- remove network slipway
write conf/00-proxy.cfg (missing) <- remove the folder of edge
create edge (missing) <- remove edge
start edge (missing)
verify edge (it has to answer)
restart policy of edge: unless-stopped (it answers)`,
    );
  });

  it("must reload for another configuration, without another container", () => {
    const wanted = desired({ timeouts: { client: "5s" }, config: "listen x" });
    assert.equal(
      plan(wanted, found(desired())),
      `write and reload conf/00-proxy.cfg, conf/90-extra.cfg (conf/00-proxy.cfg changed)
verify edge (it has to answer)`,
    );
  });

  it("must put right an edited route, the map and a file that nobody knows", () => {
    const seen = folder(desired());
    const files = new Map(seen.files)
      .set("conf/50-web.cfg", `${formatRouteFile(WEB)}junk\n`)
      .set("conf/99.cfg", "junk");
    assert.match(
      plan(desired(), found(desired(), { folder: { ...seen, files } })),
      /^write and reload conf\/50-web\.cfg, -conf\/99\.cfg \(conf\/50-web\.cfg, conf\/99\.cfg changed\)/,
    );
    const wrongMap = new Map(seen.files).set("routes.map", "");
    assert.match(
      plan(desired(), found(desired(), { folder: { ...seen, files: wrongMap } })),
      /^write and reload the map/,
    );
  });

  const published = { ports: [{ container: 80, host: 80, hostIp: "0.0.0.0", protocol: "tcp" as const }] };
  const networks: ObservedSwitch["networks"] = [
    {
      ...{ id: "e".repeat(64), name: "slipway", driver: "bridge", internal: false, bridge: "br-1" },
      ...{ subnet: "172.18.0.0/16", gateway: "172.18.0.1", ipv6: false, gatewayMode: "nat" },
    },
  ];
  const rest = `* restart policy of edge.next: unless-stopped (it answers)
remove edge (replaced)
rename edge.next to edge (it answers)
remove the files of the exchange of edge (it is done)`;

  it("must ask the copy on the port for http, where a port of tcp alone is what both publish", () => {
    const tcp = { container: 81, host: 81, hostIp: "0.0.0.0", protocol: "tcp" as const };
    const live = container(desired(), { ports: [...published.ports, tcp] });
    const seen = found(desired(), { live, exchange: observedSwitch({ networks }) });
    const steps = planProxy(desired({ httpPort: 8080, tcpPorts: [81] }), seen, secrets);
    const asked = steps.flatMap(({ operation }) => (operation.kind === "verify" ? [operation.port] : []));
    assert.deepEqual(asked, [8080]);
  });

  it("must leave nobody without a policy when the one that had it goes, however the run got there", () => {
    const stopped = container(desired({ image: "old:1" }), { state: "exited" });
    const candidate = container(desired(), { id: "next", name: "edge.next", restartPolicy: "no" });
    for (const seen of [
      found(desired(), { live: container(desired(), published) }),
      found(desired(), { live: stopped }),
      found(desired(), { live: stopped, candidate }),
    ]) {
      const steps = planProxy(desired({ image: "haproxy:3.3" }), seen, secrets);
      const kept = steps.findIndex(({ operation }) => operation.kind === "restart-policy");
      const gone = steps.findIndex(
        ({ operation }) => operation.kind === "remove" && operation.name === "edge",
      );
      assert.ok(kept >= 0 && kept < gone, formatSteps(steps));
    }
  });

  it("must let a copy serve while another image takes its place, and know what is done where that cannot be", () => {
    const seen = found(desired(), {
      live: container(desired(), published),
      exchange: observedSwitch({ networks }),
    });
    assert.equal(
      plan(desired({ image: "haproxy:3.3", config: "listen x" }), seen),
      `write conf/90-extra.cfg (missing) <- write -conf/90-extra.cfg
create edge.next (another image, network or ports) <- remove edge.next
create edge.try (a copy serves while the containers change places) <- remove edge.try
start edge.try (a copy serves while the containers change places)
verify edge.try (it has to answer)
exchange edge for edge.next by way of edge.try, ports 80/tcp (bridged) (another image, network or ports)
  else remove edge.try (nothing leads to it)
  else exchange edge for edge.next, ports 80/tcp (plain) (another image, network or ports)
  else   else start edge.next (another image, network or ports) <- stop edge.next
  else   else verify edge.next (it has to answer)
${rest}`,
    );
  });

  it("must give the copy the new image's options, with sockets and ports of its own", () => {
    const seen = found(desired(), {
      live: container(desired(), published),
      exchange: observedSwitch({ networks }),
    });
    const steps = planProxy(desired({ image: "haproxy:3.3" }), seen, secrets);
    const copy = steps.flatMap(({ operation }) =>
      operation.kind === "create" && operation.name === "edge.try" ? [operation.options] : [],
    );
    assert.match(JSON.stringify(copy), /"\/var\/lib\/slipway\/proxy\/edge\/run\.try:\/slipway\/run"/);
    const bindings =
      '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":""},{"HostIp":"172.18.0.1","HostPort":""}]}';
    assert.ok(JSON.stringify(copy).includes(`"PortBindings":${bindings}`));
  });

  it("must stop and start where the host allows no copy, and without a program where none serves", () => {
    const plainly = found(desired(), { live: container(desired(), published) });
    assert.match(
      plan(desired({ image: "haproxy:3.3" }), plainly),
      /^exchange edge for edge\.next, ports 80\/tcp \(plain\)/m,
    );
    const stopped = found(desired(), { live: container(desired(), { state: "exited" }) });
    assert.equal(
      plan(desired({ image: "haproxy:3.3" }), stopped),
      `write the map of routes (the new image has to accept it) <- write the map of routes
create edge.next (another image, network or ports) <- remove edge.next
start edge.next (another image, network or ports) <- stop edge.next
verify edge.next (it has to answer)
${rest.split("\n").slice(0, 3).join("\n")}`,
    );
  });

  it("must look after an exchange that was left before anything else", () => {
    const left = (given: Partial<ObservedSwitch>): string =>
      formatSteps(planLeft(desired(), found(desired(), { exchange: observedSwitch(given) })));
    assert.equal(left({}), "");
    assert.equal(
      left({ program: { pid: 7, phase: "ruled" } }),
      "follow the exchange of edge (it is at work)",
    );
    assert.equal(
      left({ program: { pid: 7, phase: "stuck" } }),
      "recover the exchange of edge (neither serves on its own)",
    );
    assert.equal(left({ unfinished: "ruled" }), "recover the exchange of edge (its program died)");
    assert.equal(left({ rules: 2 }), "clear rules of edge (nothing accounts for them)");
  });

  it("must go on from what a run left that was cut off", () => {
    const next = (more: Partial<ObservedContainer>) =>
      container(desired(), { id: "next", name: "edge.next", restartPolicy: "no", ...more });
    const cut = "left by a run that was cut off";
    assert.equal(
      plan(desired(), found(desired(), { candidate: next({ state: "created" }) })),
      `remove edge.next (${cut})`,
    );
    const stopped = container(desired({ image: "old:1" }), { state: "exited" });
    assert.equal(
      plan(desired(), found(desired(), { live: stopped, candidate: next({ state: "running" }) })),
      `restart policy of edge.next: unless-stopped (${cut})
remove edge (${cut})
rename edge.next to edge (${cut})`,
    );
    const old = container(desired({ image: "old:1" }), { id: "next", name: "edge.next", state: "running" });
    assert.match(
      plan(desired(), found(desired(), { live: stopped, candidate: old, copy: next({ name: "edge.try" }) })),
      /^remove edge\.try [^]*\nremove edge [^]*\nrename edge\.next to edge [^]*\nexchange edge for edge\.next/,
    );
    assert.match(
      plan(desired(), found(desired(), { live: undefined, candidate: next({ state: "running" }) })),
      /^restart policy of edge\.next: unless-stopped [^]*\nrename edge\.next to edge/,
    );
  });

  it("must remove the files of an exchange that another run carried on", () => {
    const seen = found(desired(), { exchange: observedSwitch({ files: true }) });
    assert.equal(
      plan(desired(), seen),
      "remove the files of the exchange of edge (left by a run that was cut off)",
    );
  });

  it("must wake one that is stopped or does not answer", () => {
    const stopped = found(desired(), { live: container(desired(), { state: "exited" }) });
    assert.equal(plan(desired(), stopped), "start edge (it is exited)\nverify edge (it has to answer)");
    const silent = found(desired(), { folder: folder(desired(), { version: undefined }) });
    assert.match(plan(desired(), silent), /^stop edge \(it does not answer\)\nstart edge/);
  });

  it("must never name a certificate's content, and never overwrite one", () => {
    const seen = found(desired({ tls: "internal" }));
    assert.match(
      plan(desired({ tls: "internal" }), seen),
      /write and reload certs\/00-internal\.pem, certs\/50-web\.[0-9a-f]{8}\.pem/,
    );
    assert.doesNotMatch(plan(desired({ tls: "internal" }), seen), /PEM|PRIVATE/);
  });
});

describe("planRemoval", () => {
  it("must take what is ours, and the network only when a proxy or service of ours made it", () => {
    assert.equal(
      formatSteps(planRemoval(desired(), found(desired()))),
      "remove edge (deleted)\nremove the folder of edge (deleted)\nremove network slipway (deleted)",
    );
    const others = {
      network: { id: "n", owned: false, inUse: true },
      live: container(desired(), { labels: {} }),
    };
    assert.equal(
      formatSteps(planRemoval(desired(), found(desired(), others))),
      "remove the folder of edge (deleted)",
    );
  });
});

describe("refuseForeign", () => {
  it("must refuse a name and a port of somebody else, and not our own", () => {
    const own = { port: 80, protocol: "tcp", hostIp: "", by: "the container edge", containerId: "live" };
    refuseForeign(desired(), found(desired(), { portTakers: [own] }));
    const foreign = container(desired(), { labels: {} });
    assert.throws(() => refuseForeign(desired(), found(desired(), { live: foreign })), {
      code: "name-taken",
    });
    const taker = { ...own, by: "the process nginx (pid 8)", containerId: undefined };
    assert.throws(
      () => refuseForeign(desired(), found(desired(), { portTakers: [taker] })),
      /port 80 is held by the process nginx/,
    );
  });

  it("must refuse what stands under the copy's name, which would be removed", () => {
    const copy = container(desired(), { name: "edge.try", labels: {} });
    assert.throws(() => refuseForeign(desired(), found(desired(), { copy })), { code: "name-taken" });
  });
});

describe("another stack's proxy of the same name", () => {
  const labels = { ...container(desired()).labels, "slipway.stack": "p/other" };
  const live = container(desired(), { id: "theirs", labels });
  const seen = found(desired(), { live, exchange: observedSwitch({ unfinished: "ruled" }) });

  it("must be refused by its stack's name, with its exchange left alone", () => {
    assert.throws(
      () => refuseForeign(desired(), seen),
      /"edge" is a container of the stack p\/other .*Nothing was touched.*Give this proxy another name/,
    );
    assert.equal(formatSteps(planLeft(desired(), seen)), "");
  });

  it("must stay, with its folder and its network, when ours is deleted", () => {
    assert.equal(formatSteps(planRemoval(desired(), seen)), "");
    const candidate = container(desired(), { name: "edge.next", labels });
    assert.equal(formatSteps(planRemoval(desired(), found(desired(), { live: undefined, candidate }))), "");
  });

  it("must be nothing that the state claims at a refresh", () => {
    const proxy = parseProxy({ name: "edge", host: { host: "203.0.113.1" } });
    const outputs = outputsOf({}, { proxy, desired: desired(), found: seen, hostKey: "" });
    assert.deepEqual([outputs.containerId, outputs.state], ["", "missing"]);
  });

  it("must be ours where the state names it: the stack has another name now", () => {
    const renamed = { ...desired(), recordedId: "theirs" };
    const there = found(desired(), { live });
    refuseForeign(renamed, there);
    assert.equal(plan(renamed, there), "");
    assert.match(formatSteps(planRemoval(renamed, there)), /^remove edge \(deleted\)\nremove the folder/);
    assert.match(
      plan({ ...desired({ image: "haproxy:3.3" }), recordedId: "theirs" }, there),
      /^exchange edge/m,
    );
  });
});
