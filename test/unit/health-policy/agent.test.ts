import assert from "node:assert/strict";
import { AGENT_VERSION } from "../../../provider/health-policy/agent/program";
import {
  agentKey,
  formatLedger,
  formatSettings,
  parseLedger,
} from "../../../provider/health-policy/agent/settings";
import { parseShownAgent } from "../../../provider/health-policy/agent/shown";
import { recordedKey, together } from "../../../provider/health-policy/agent/watch";
import { policy } from "../../support/health-look";

const event = (more: object = {}): string =>
  JSON.stringify({ at: "T1", event: "restarted", container: "web", restarts: 1, why: "sick", ...more });
const shown = (log: readonly string[], runs = true): string =>
  [
    `@slipway version ${AGENT_VERSION}`,
    ...(runs ? ["@slipway runs"] : []),
    "@slipway ledger",
    "a1 1000",
    "a1 1010",
    "rm -rf /",
    "@slipway log",
    ...log,
    "",
  ].join("\n");

describe("the agent of a HealthPolicy", () => {
  it("must have a name of its own for each stack and policy, whatever they are called", () => {
    const key = agentKey("shop/production", "Health of: shop");
    assert.match(key, /^health-of-shop-[0-9a-f]{8}$/);
    assert.notEqual(key, agentKey("shop/staging", "Health of: shop"));
    assert.notEqual(key, agentKey("shop/production", "Health of; shop"));
    assert.equal(recordedKey({ __agent: key }), key);
    assert.equal(recordedKey({ __agent: "../x" }), undefined);
  });

  it("must go by the policy's own rules", () => {
    const text = formatSettings(
      policy({ services: ["web", "api"], backoff: "1500ms", window: "1h", maxRestarts: 5 }),
    );
    assert.deepEqual(text.split("\n"), [
      "label slipway.service",
      "service web",
      "service api",
      "repair 1",
      "max_restarts 5",
      "window 3600",
      "backoff 2",
      "max_unavailable 1",
      "",
    ]);
    assert.match(
      formatSettings(policy({ scope: { label: "team=a b" }, repair: false })),
      /^label team=a b\nrepair 0\n/,
    );
    assert.match(formatSettings(policy({ scope: "all" })), /^repair 1\n/);
    // none is not all
    assert.match(formatSettings(policy({ services: [] })), /^label slipway.service\nservice \n/);
  });

  it("must give its budget on", () => {
    const ledger = { a1: [1_000_400, 1_010_000], b2: [5_000] };
    assert.equal(formatLedger(ledger), "a1 1000\na1 1010\nb2 5\n");
    assert.deepEqual(parseLedger(formatLedger(ledger)), { a1: [1_000_000, 1_010_000], b2: [5_000] });
  });

  it("must be read with what it did, and nothing else that stands there", () => {
    const odd = [
      '{"at":"T2","event":"resta',
      event({ event: "removed" }),
      event({ why: "a\u001b[2Jb\nc", container: 1 }),
    ];
    const agent = parseShownAgent(
      shown([event(), ...odd, event({ event: "gave-up", why: "a\u001b[2Jb\nc" })]),
    );
    assert.equal(agent?.runs, true);
    assert.deepEqual(agent.ledger, { a1: [1_000_000, 1_010_000] });
    const row = { at: "T1", container: "web", restarts: 1 };
    assert.deepEqual(agent.events, [
      { ...row, event: "restarted", why: "sick" },
      { ...row, event: "gave-up", why: "ab c" },
    ]);
    assert.equal(parseShownAgent("@slipway absent\n"), undefined);
  });

  it("must be missed where it is gone, stands still, or is another one", () => {
    const agent = parseShownAgent(shown([event()]));
    const stopped = parseShownAgent(shown([], false));
    const other = agent && { ...agent, version: "0123456789ab" };
    assert.equal(together([["a", agent]]).version, AGENT_VERSION);
    for (const bad of [stopped, other, undefined])
      assert.equal(
        together([
          ["a", agent],
          ["b", bad],
        ]).version,
        "",
      );
    assert.equal(together([]).version, "");
    assert.deepEqual(
      together([["a", agent]]).events.map(({ host }) => host),
      ["a"],
    );
  });
});
