import { systemClock } from "../provider/clock";
import { readPolicy } from "../provider/health-policy/inputs";
import { lookForRepairs } from "../provider/health-policy/look";
import { observeHosts } from "../provider/health-policy/observe-hosts";
import { reachOf } from "../provider/health-policy/reach";
import { closeConnections } from "../provider/host/pool";
import { silentLog } from "../provider/log";
import { Fields } from "../provider/values";
import type { LabHost } from "../test/lab/lab-host";
import type { Bench, Measured, Row } from "./bench";
import { startDelayProxy } from "./delay-proxy";
import { measureAgent } from "./health-agent";
import { CONTAINERS, FEW, keepFew, startHealthHost } from "./health-host";
import { median, rounded } from "./median";
import { startTurnCounter } from "./rollout-turns";

/** The round trip that a far host is measured at. */
const FAR_MS = 80;
const HOSTS = 20;
const [SAMPLES, QUICK_SAMPLES] = [15, 3];
/** How often the agent looks where nobody says otherwise. */
const WATCH_INTERVAL_MS = 15_000;

/**
 * The looks of a HealthPolicy: that of an up, which is for a report, the shorter one of a preview, and the agent's. Twenty hosts are twenty
 * connections to one machine: what is measured is how long one waits for all of them, not what twenty machines can do.
 */
export const healthBench: Bench = {
  columns: {
    what: "a look for a",
    rtt: "RTT ms",
    hosts: "hosts",
    containers: "containers each",
    ms: "median ms",
    turns: "turns",
    agent: "agent CPU ms",
    engine: "engine CPU ms",
    samples: "samples",
  },
  bounds: [
    { figure: "look_200_ms", atMost: 150 },
    { figure: "round_trips", atMost: 3 },
    { figure: "hosts20_ratio", atMost: 2 },
    { figure: "agent_core_percent", atMost: 1 },
  ],
  run: async (say, { quick }) => {
    say(`lab: starting a host with ${CONTAINERS} containers (some minutes)`);
    const host = await startHealthHost();
    try {
      return await runOn(host, quick ? QUICK_SAMPLES : SAMPLES, say);
    } finally {
      closeConnections();
      await host.remove();
    }
  },
};

async function runOn(host: LabHost, samples: number, say: (text: string) => void): Promise<Measured> {
  const far = await startDelayProxy(host.sshPort, FAR_MS, HOSTS);
  const counter = await startTurnCounter(far.port);
  try {
    const all = { scope: "all" };
    const near = await measure(report, policyFor(host, [host.sshPort], all), samples);
    say(`  a report of ${CONTAINERS} containers, near: ${near.ms} ms`);
    const turnsBetween = (fromMs: number, toMs: number): number =>
      counter.turns({ fromMs, toMs }, [], FAR_MS);
    const distant = await measure(report, policyFor(host, [counter.port], all), samples, turnsBetween);
    say(`  a report of ${CONTAINERS} containers, far: ${distant.ms} ms, ${distant.turns ?? 0} turns`);
    const preview = await measure(look, policyFor(host, [host.sshPort], all), samples);
    say(`  preview, ${CONTAINERS} containers, near: ${preview.ms} ms`);
    const turn = await measureAgent(policyFor(host, [host.sshPort], { ...all, watch: true }), host, samples);
    say(
      `  a turn of the agent, ${CONTAINERS} containers: ${turn.agentMs} ms of CPU, the engine ${turn.engineMs} ms`,
    );
    const { ports } = far;
    // each of twenty machines has its own ten, and no engine has to sort two hundred for each of them
    await keepFew(host);
    // one after another: a server takes few logins at once
    for (const port of ports) await measure(look, policyFor(host, [port], all), 0);
    const one = await measure(look, policyFor(host, ports.slice(0, 1), all), samples);
    say(`  ${FEW} containers on one host, far: ${one.ms} ms`);
    const twenty = await measure(look, policyFor(host, ports, all), samples);
    say(`  ${FEW} containers on each of ${HOSTS} hosts, far: ${twenty.ms} ms`);
    const row = (what: string, rtt: number, hosts: number, containers: number, looked: Looked): Row => ({
      ...{ what, rtt, hosts, containers, ms: looked.ms, samples },
      ...(looked.turns === undefined ? {} : { turns: looked.turns }),
    });
    return {
      rows: [
        row("report", 0, 1, CONTAINERS, near),
        row("report", FAR_MS, 1, CONTAINERS, distant),
        row("preview", 0, 1, CONTAINERS, preview),
        row("preview", FAR_MS, 1, FEW, one),
        row("preview", FAR_MS, HOSTS, FEW, twenty),
        {
          ...{ what: "turn of the agent", hosts: 1, containers: CONTAINERS, samples },
          ...{ agent: turn.agentMs, engine: turn.engineMs },
        },
      ],
      figures: {
        look_200_ms: near.ms,
        round_trips: distant.turns ?? Number.NaN,
        hosts20_ratio: rounded(twenty.ms / one.ms),
        agent_core_percent: Math.round(((turn.agentMs + turn.engineMs) / WATCH_INTERVAL_MS) * 10_000) / 100,
      },
      versions: { engine: await host.must(["docker", "version", "--format", "{{.Server.Version}}"]) },
    };
  } finally {
    for (const each of [counter, far]) each.stop();
  }
}

interface Looked {
  readonly ms: number;
  readonly turns?: number;
}

type Policy = ReturnType<typeof readPolicy>;

function policyFor(host: LabHost, ports: readonly number[], more: object): Policy {
  const hosts = ports.map((port) => ({ ...host.connection(), port }));
  return readPolicy(new Fields({ name: "bench", hosts, ...more }));
}

/** Looks once to be warm, then so often. */
async function measure(
  look: (policy: Policy) => Promise<void>,
  policy: Policy,
  samples: number,
  turnsBetween?: (fromMs: number, toMs: number) => number,
): Promise<Looked> {
  await look(policy);
  const times: number[] = [];
  const turns: number[] = [];
  for (let at = 0; at < samples; at += 1) {
    const began = performance.now();
    await look(policy);
    const ended = performance.now();
    times.push(ended - began);
    if (turnsBetween !== undefined) turns.push(turnsBetween(began, ended));
  }
  return { ms: rounded(median(times)), ...(turns.length === 0 ? {} : { turns: median(turns) }) };
}

const silent = {
  ...{ urn: "", name: "bench", holder: "bench", stack: "bench/bench" },
  clock: systemClock,
  random: Math.random,
  signal: new AbortController().signal,
};

/** What an up does before anything else. */
async function report(policy: Policy): Promise<void> {
  const context = { ...silent, log: silentLog };
  const [host] = await observeHosts(policy, reachOf(policy.hosts, {}, context), context);
  const found = host?.containers.filter(({ health }) => health === "healthy").length;
  if (found !== CONTAINERS) throw new Error(`${CONTAINERS} containers are well, ${found} were seen so`);
}

/** What diff does. A host that was not seen, or something that is not well, is no look that counts. */
async function look(policy: Policy): Promise<void> {
  const kept: string[] = [];
  const context = { ...silent, log: { ...silentLog, keep: (text: string) => void kept.push(text) } };
  const makeReach = (signal: AbortSignal) => reachOf(policy.hosts, {}, { ...context, signal });
  const changes = await lookForRepairs(policy, {}, makeReach, context);
  if (changes || kept.length > 0) throw new Error(`the look found something: ${kept.join("; ")}`);
}
