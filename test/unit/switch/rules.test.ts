import assert from "node:assert/strict";
import { ruleTexts } from "../../../provider/switch/rules";
import type { PublishedBinding } from "../../../provider/switch/switch-order";
import { bridgedOrder } from "../../support/switch-order";

const C = "-m comment --comment slipway:web";
const binding = (hostIp: string, more: Partial<PublishedBinding> = {}): PublishedBinding => ({
  protocol: "tcp",
  hostIp,
  host: 80,
  container: 3000,
  ...more,
});
const lines = (text: string): readonly string[] => text.split("\n").slice(1, -2);

describe("ruleTexts", () => {
  it("must send outside, host and containers to the copy, containers by its gateway", () => {
    const { rules4, rules6, count4, count6 } = ruleTexts(bridgedOrder());
    assert.equal(
      rules4,
      [
        "*nat",
        `-I OUTPUT 1 -p tcp -m tcp --dport 80 -d 127.0.0.0/8 ${C} -j REDIRECT --to-ports 32768`,
        `-I OUTPUT 1 -p tcp -m tcp --dport 80 ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.3:3000`,
        `-I PREROUTING 1 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.3:3000`,
        `-I PREROUTING 1 -i docker0 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.1:32769`,
        `-I PREROUTING 1 -i br-0123456789ab -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.1:32769`,
        "COMMIT",
        "",
      ].join("\n"),
    );
    assert.deepEqual([count4, count6, rules6], [5, 0, ""]);
  });

  it("must take only the loopback's connections for a port of the loopback", () => {
    const order = bridgedOrder({}, { ports: [binding("127.0.0.1")] });
    assert.deepEqual(lines(ruleTexts(order).rules4), [
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 -d 127.0.0.1 ${C} -j REDIRECT --to-ports 32768`,
    ]);
  });

  it("must take only one address's connections for a port of one address", () => {
    const order = bridgedOrder({ bridges: ["docker0"] }, { ports: [binding("192.0.2.7")] });
    assert.deepEqual(lines(ruleTexts(order).rules4), [
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 -d 192.0.2.7 ${C} -j DNAT --to-destination 172.18.0.3:3000`,
      `-I PREROUTING 1 -p tcp -m tcp --dport 80 -d 192.0.2.7 ${C} -j DNAT --to-destination 172.18.0.3:3000`,
      `-I PREROUTING 1 -i docker0 -p tcp -m tcp --dport 80 -d 192.0.2.7 ${C} -j DNAT --to-destination 172.18.0.1:32769`,
    ]);
  });

  it("must do without docker-proxy by translating the source", () => {
    const order = bridgedOrder({ proxy: false });
    assert.deepEqual(lines(ruleTexts(order).rules4), [
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.3:3000`,
      `-I POSTROUTING 1 -d 172.18.0.3/32 -p tcp -m tcp --dport 3000 -m addrtype --src-type LOCAL ${C} -j MASQUERADE`,
      `-I POSTROUTING 1 -s 172.18.0.0/16 -d 172.18.0.3/32 -p tcp -m tcp --dport 3000 -m conntrack --ctstate DNAT ${C} -j MASQUERADE`,
      `-I PREROUTING 1 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination 172.18.0.3:3000`,
    ]);
  });

  it("must relay IPv6 by the host's own address where the copy has none", () => {
    const relays = [
      { protocol: "tcp" as const, container: 3000, loopback: 1, gateway: 2, loopback6: 3, host6: 4 },
    ];
    const order = bridgedOrder({ relays, host6: "2001:db8::5" }, { ports: [binding("::")] });
    const { rules4, rules6, count6 } = ruleTexts(order);
    assert.equal(rules4, "");
    assert.equal(count6, 3);
    assert.deepEqual(lines(rules6), [
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 -d ::1/128 ${C} -j REDIRECT --to-ports 3`,
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 ! -d ::1/128 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination [2001:db8::5]:4`,
      `-I PREROUTING 1 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination [2001:db8::5]:4`,
    ]);
  });

  it("must send IPv6 straight to a copy that Docker reaches by it, containers by relay", () => {
    const relays = [
      { protocol: "tcp" as const, container: 3000, loopback: 1, gateway: 2, loopback6: 3, host6: 4 },
    ];
    const copy = { relays, host6: "2001:db8::5", address6: "fd00::3", bridges: ["br-x"] };
    assert.deepEqual(lines(ruleTexts(bridgedOrder(copy, { ports: [binding("::")] })).rules6).slice(1), [
      `-I OUTPUT 1 -p tcp -m tcp --dport 80 ! -d ::1/128 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination [fd00::3]:3000`,
      `-I PREROUTING 1 -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination [fd00::3]:3000`,
      `-I PREROUTING 1 -i br-x -p tcp -m tcp --dport 80 -m addrtype --dst-type LOCAL ${C} -j DNAT --to-destination [2001:db8::5]:4`,
    ]);
  });

  it("must give every port of every protocol its own rules", () => {
    const relays = [
      { protocol: "tcp" as const, container: 3000, loopback: 1, gateway: 2 },
      { protocol: "udp" as const, container: 53, loopback: 3, gateway: 4 },
    ];
    const ports = [binding("0.0.0.0"), binding("0.0.0.0", { protocol: "udp", host: 5353, container: 53 })];
    const { rules4, count4 } = ruleTexts(bridgedOrder({ relays, bridges: ["docker0"] }, { ports }));
    assert.equal(count4, 8);
    assert.equal(lines(rules4).filter((line) => line.includes("-p udp -m udp --dport 5353")).length, 4);
    assert.match(rules4, /-i docker0 -p udp .* --to-destination 172\.18\.0\.1:4/);
  });
});
