import assert from "node:assert/strict";
import type Docker from "dockerode";
import type { Properties } from "../../../provider/handler";
import { AGENT_VERSION } from "../../../provider/health-policy/agent/program";
import { lookForRepairs } from "../../../provider/health-policy/look";
import type { Reach } from "../../../provider/health-policy/reach";
import type { HostSession } from "../../../provider/host/session";
import { silentLog } from "../../../provider/log";
import { policy } from "../../support/health-look";
import { ManualClock } from "../../support/manual-clock";

const TARGETS = ["root@a:22", "root@b:22"] as const;
const BAD = "ba".repeat(32);
const RECORDED = {
  ...{ watch: true, agentVersion: AGENT_VERSION, __agent: "health-0a1b2c3d" },
  targets: TARGETS,
};
const NOW_SECONDS = 5_000;

const shown = (more: { readonly version?: string; readonly runs?: boolean; readonly ledger?: string } = {}) =>
  [
    `@slipway version ${more.version ?? AGENT_VERSION}`,
    ...(more.runs === false ? [] : ["@slipway runs"]),
    "@slipway ledger",
    ...(more.ledger === undefined ? [] : [more.ledger]),
    "@slipway log",
    "",
  ].join("\n");

/** An engine with one container, whose HEALTHCHECK fails or does not. */
function engineWith(health: "unhealthy" | "healthy"): Docker {
  const info = {
    ...{ Id: BAD, Names: ["/bad"], ImageID: "", Image: "bad:1", State: "running", Created: 0 },
    Labels: { "slipway.service": "bad" },
    NetworkSettings: {},
    HostConfig: {},
  };
  const inspect = {
    ...{ Id: BAD, Name: "/bad", Image: "bad:1", HostConfig: {}, NetworkSettings: {} },
    Config: { Labels: info.Labels, Healthcheck: { Test: ["CMD", "true"] } },
    State: { Status: "running", Health: { Status: health, FailingStreak: 1, Log: [] } },
  };
  const listContainers = ({
    filters = {},
  }: {
    readonly filters?: Readonly<Record<string, readonly string[]>>;
  }) => {
    const isListed = filters.name === undefined && (filters.health?.includes(health) ?? true);
    return Promise.resolve(isListed ? [info] : []);
  };
  return {
    listContainers,
    getContainer: () => ({ inspect: () => Promise.resolve(inspect) }),
  } as unknown as Docker;
}

/** Undefined: it never comes. */
type Answer = string | Error | undefined;

/** A look at two hosts whose agents answer so; the container of each is on the first alone. */
async function lookWith(
  agents: readonly [Answer, Answer],
  more: {
    readonly recorded?: Properties;
    readonly health?: "unhealthy" | "healthy";
    readonly policy?: object;
  } = {},
) {
  const kept: string[] = [];
  const asked: (readonly string[])[] = [];
  const clock = new ManualClock();
  await clock.advance(NOW_SECONDS * 1_000);
  const sessionOf = (target: string): HostSession => {
    const answer = agents[target === TARGETS[0] ? 0 : 1];
    const exec = (argv: readonly string[]) => {
      asked.push([target, ...argv.slice(4)]);
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer === undefined) return new Promise(() => {});
      return Promise.resolve({ kind: "exited", code: 0, stdout: answer, stderr: "" });
    };
    return { target, hostKey: "", exec, redact: (text: string) => text } as unknown as HostSession;
  };
  const reach: Reach = {
    targets: TARGETS,
    on: (target, use) =>
      use(sessionOf(target), engineWith(target === TARGETS[0] ? (more.health ?? "healthy") : "healthy")),
  };
  const context = {
    ...{ clock, signal: new AbortController().signal },
    log: { ...silentLog, keep: (text: string) => void kept.push(text) },
  };
  const looking = lookForRepairs(
    policy({ watch: true, ...more.policy }),
    more.recorded ?? RECORDED,
    () => reach,
    context,
  );
  await clock.advance(0);
  await clock.advance(3_000);
  return { changes: await looking, kept, asked };
}

describe("the short look of a policy that watches", () => {
  it("must see no change where all is well and every agent runs, and hold none of them", async () => {
    const { changes, kept, asked } = await lookWith([shown(), shown()]);
    assert.deepEqual([changes, kept], [false, []]);
    const folder = "/var/lib/slipway/health/health-0a1b2c3d";
    assert.deepEqual(
      [...asked].sort(),
      TARGETS.map((target) => [target, folder, String(NOW_SECONDS), ""]),
    );
  });

  it("must count what the agent has restarted, as the up will", async () => {
    const health = "unhealthy";
    const once = { [BAD]: [(NOW_SECONDS - 60) * 1_000] };
    const recorded = { ...RECORDED, __restarts: once };
    const some = await lookWith([shown(), shown()], { health, recorded });
    assert.deepEqual(some.kept, ["restart bad on root@a:22: its HEALTHCHECK fails"]);
    const ledger = [NOW_SECONDS - 50, NOW_SECONDS - 30].map((at) => `${BAD} ${at}`).join("\n");
    const all = await lookWith([shown({ ledger }), shown()], { health, recorded });
    assert.equal(all.changes, true);
    assert.deepEqual(all.kept, [
      "leave bad on root@a:22: its HEALTHCHECK fails; given up after 3 restarts within 10m",
    ]);
  });

  it("must name the host whose agent is missing, does not run or is another one, and see a change", async () => {
    const flaws = [
      ["@slipway absent\n", "is missing"],
      [shown({ runs: false }), "does not run"],
      [shown({ version: "0123456789ab" }), "is another version"],
    ] as const;
    for (const [answer, flaw] of flaws) {
      const { changes, kept } = await lookWith([shown(), answer]);
      assert.equal(changes, true);
      assert.deepEqual(kept, [`the agent on root@b:22 ${flaw}: it is installed anew`]);
    }
  });

  it("must see a change where a host that the last up passed over is there again", async () => {
    const recorded = { ...RECORDED, __agentHosts: [TARGETS[0]] };
    const { changes, kept } = await lookWith([shown(), shown()], { recorded });
    assert.equal(changes, true);
    assert.deepEqual(kept, [`the agent on ${TARGETS[1]} missed the last up: it is installed anew`]);
  });

  it("must say it of all hosts where the last refresh missed one that is there again", async () => {
    const recorded = { ...RECORDED, agentVersion: "" };
    const again = await lookWith([shown(), shown()], { recorded });
    assert.deepEqual([again.changes, again.kept], [true, ["the agent on the hosts is installed anew"]]);
    const gone = await lookWith(["@slipway absent\n", shown()], { recorded });
    assert.deepEqual(gone.kept, ["the agent on root@a:22 is missing: it is installed anew"]);
  });

  it("must say which agent it could not look at, and see no change for that", async () => {
    const broken = await lookWith([new Error("sudo asks for a password"), shown()]);
    assert.deepEqual(broken.kept, ["could not look at the agent on root@a:22: sudo asks for a password"]);
    assert.equal(broken.changes, false);
    const silent = await lookWith([shown(), undefined], { health: "unhealthy" });
    assert.deepEqual(silent.kept, [
      "could not look at the agent on root@b:22: no answer within 3s",
      "restart bad on root@a:22: its HEALTHCHECK fails",
    ]);
  });

  it("must ask no agent where none was left, or none is wanted any more", async () => {
    const first = await lookWith([shown(), shown()], { recorded: { ...RECORDED, __agent: undefined } });
    assert.deepEqual([first.asked, first.kept], [[], []]);
    const last = await lookWith([shown(), shown()], { policy: { watch: false } });
    assert.deepEqual([last.asked, last.kept], [[], []]);
    const grown = await lookWith([shown(), "@slipway absent\n"], {
      recorded: { ...RECORDED, targets: TARGETS.slice(0, 1) },
    });
    assert.deepEqual([grown.asked.length, grown.changes], [1, false]);
  });
});
