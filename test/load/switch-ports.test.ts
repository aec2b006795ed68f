import assert from "node:assert/strict";
import type { PortSpec } from "../../provider/container/spec";
import type { LabHost } from "../lab/lab-host";
import { clearSwitchAfterEach, loadHost } from "../support/load-host";
import { exchange, PORT, setScene, standing } from "../support/switch-host";
import { SwitchLoad } from "../support/switch-load";

/** A machine beside the host, as a network namespace with both families. */
const NEIGHBOUR = `
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0
ip netns add neighbour 2>/dev/null || exit 0
ip link add near type veth peer name far netns neighbour
ip addr add 192.0.2.1/24 dev near; ip -6 addr add 2001:db8:1::1/64 dev near nodad; ip link set near up
ip -n neighbour addr add 192.0.2.2/24 dev far; ip -n neighbour -6 addr add 2001:db8:1::2/64 dev far nodad
ip -n neighbour link set far up; ip -n neighbour link set lo up
`;

describe("the ports of a bridged switch on a lab host", function () {
  this.timeout(240_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve" } });
  clearSwitchAfterEach(load);
  let host: LabHost;

  before(async () => {
    host = load.host;
    await host.must(["sh", "-c", NEIGHBOUR]);
    // flows of UDP that are known to the kernel go where they went, unless they are forgotten
    await host.must(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "conntrack"]);
  });

  const neighbour = ["ip", "netns", "exec", "neighbour"];

  it("must lose nothing on several ports, over IPv4, IPv6 and UDP", async () => {
    const ports: readonly PortSpec[] = [
      { container: PORT, host: 80, protocol: "tcp" },
      { container: PORT, host: 8080, protocol: "tcp", hostIp: "192.0.2.1" },
      { container: PORT, host: 9000, protocol: "tcp", hostIp: "127.0.0.1" },
      { container: PORT, host: 5353, protocol: "udp" },
    ];
    const scene = await load.onHost((session) => setScene(session, { ports }));
    assert.ok(scene.order.way.kind === "bridged" && scene.order.way.copy.host6 !== undefined);
    const clients = await SwitchLoad.on(host);
    await clients.fromHost("far4", "192.0.2.1", 80, neighbour);
    await clients.fromHost("far6", "2001:db8:1::1", 80, neighbour);
    await clients.fromHost("lo6", "::1", 80);
    await clients.fromHost("own6", "2001:db8:1::1", 80);
    await clients.fromHost("address", "192.0.2.1", 8080, neighbour);
    await clients.fromHost("loopback", "127.0.0.1", 9000);
    await clients.fromHost("udp", "192.0.2.1", 5353, neighbour, "udp");
    await clients.fromHost("udp-own", "192.0.2.1", 5353, [], "udp");
    const result = await load.onHost((session) => exchange(session, scene));
    const reports = await clients.stop();
    console.log(`        ${reports.map((one) => `${one.name} ${one.failed}/${one.requests}`).join(", ")}`);
    assert.equal(result.kind, "switched", result.why);
    // forgetting a flow forgets the answer that is under way in it: once when the rules come, once when they go
    for (const { name, failed } of reports) assert.ok(failed <= (name.startsWith("udp") ? 2 : 0), name);
    assert.deepEqual(await standing(host), { containers: ["web exited", "web.next running"], rules: 0 });
  });

  it("must switch two services at once", async () => {
    const ports = [{ container: PORT, host: 8080, protocol: "tcp" as const }];
    const [web, api] = await Promise.all([
      load.onHost((session) => setScene(session)),
      load.onHost((session) => setScene(session, { service: "api", ports })),
    ]);
    const clients = await SwitchLoad.on(host);
    await clients.fromHost("web", "192.0.2.1", 80, neighbour);
    await clients.fromHost("api", "192.0.2.1", 8080, neighbour);
    const results = await Promise.all(
      [web, api].map((scene) => load.onHost((session) => exchange(session, scene))),
    );
    const reports = await clients.stop();
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ["switched", "switched"],
    );
    for (const { name, failed } of reports) assert.equal(failed, 0, name);
    assert.equal((await standing(host)).rules, 0);
  });
});
