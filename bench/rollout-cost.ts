import type { LabHost } from "../test/lab/lab-host";
import type { Properties } from "../provider/handler";
import type { Row } from "./bench";
import { startDelayProxy } from "./delay-proxy";
import { median } from "./median";
import { type AloneMs, imageOf, timeAlone } from "./rollout-app";
import { clearHost } from "./rollout-host";
import { type Rolled, Service } from "./rollout-service";
import { type Span, startTurnCounter } from "./rollout-turns";

/** What a swap costs beside what the app and its gates take. */
export interface Costs {
  readonly rows: readonly Row[];
  readonly overheadMs: number;
  readonly roundTrips: number;
  readonly backToKeptMs: number;
}

const GATE_MS = 1_000;
const RTT_MS = 80;

/** Swaps without load, one after another, over a connection that stands. */
export async function measureCosts(
  host: LabHost,
  swaps: number,
  say: (text: string) => void,
): Promise<Costs> {
  const times: AloneMs[] = [];
  for (let at = 0; at < swaps; at += 1) times.push(await timeAlone(host));
  const alone = {
    startMs: median(times.map(({ startMs }) => startMs)),
    stopMs: median(times.map(({ stopMs }) => stopMs)),
  };
  say(
    `  the app by docker alone: a start ${Math.round(alone.startMs)} ms, a stop ${Math.round(alone.stopMs)} ms`,
  );
  const over = (rolled: Rolled): number => overheadOf(rolled, alone);

  const service = new Service("shop", argumentsOf(host, host.sshPort));
  await service.roll(imageOf("v1"));
  const there: Rolled[] = [];
  const back: Rolled[] = [];
  for (let at = 0; at < swaps; at += 1) {
    // a version that is new to the host, then back to the one that was kept
    there.push(await service.roll(imageOf("v2"), { env: { TRY: String(at) } }));
    await copiesGone(host);
    back.push(await service.roll(imageOf("v1")));
    await copiesGone(host);
  }
  for (const line of timeline(there.at(-1))) say(`    ${line}`);
  await service.remove();
  await clearHost(host);
  const { far, turns } = await farSwaps(host, Math.min(swaps, 3));
  await clearHost(host);
  const rowOf = (part: string, all: readonly Rolled[], rtt: number): Row => ({
    part,
    way: all[0]?.switch,
    rtt,
    ms: Math.round(median(all.map(({ ms }) => ms))),
    overMs: Math.round(median(all.map(over))),
    samples: all.length,
  });
  const farRow = { ...rowOf("swap, new version", far, RTT_MS), roundTrips: median(turns) };
  const rows = [rowOf("swap, new version", there, 0), rowOf("swap, kept version", back, 0), farRow];
  return {
    rows,
    overheadMs: Math.round(median(there.map(over))),
    roundTrips: median(turns),
    backToKeptMs: Math.round(median(back.map(over))),
  };
}

async function farSwaps(
  host: LabHost,
  swaps: number,
): Promise<{ readonly far: readonly Rolled[]; readonly turns: readonly number[] }> {
  const delay = await startDelayProxy(host.sshPort, RTT_MS);
  const counter = await startTurnCounter(delay.port);
  try {
    const service = new Service("shop", argumentsOf(host, counter.port));
    await service.roll(imageOf("v1"));
    const far: Rolled[] = [];
    const turns: number[] = [];
    for (let at = 0; at < swaps; at += 1) {
      await copiesGone(host);
      const rolled = await service.roll(imageOf("v2"), { env: { TRY: String(at) } });
      const span = { fromMs: rolled.beganMs, toMs: rolled.beganMs + rolled.ms };
      turns.push(counter.turns(span, gatesIn(rolled), RTT_MS));
      far.push(rolled);
    }
    await service.remove();
    return { far, turns };
  } finally {
    counter.stop();
    delay.stop();
  }
}

/** One swap is to be measured, and not what the copy of the one before still has to answer. */
async function copiesGone(host: LabHost): Promise<void> {
  await host.must(["sh", "-c", 'until [ -z "$(docker ps -aqf name=[.]try)" ]; do sleep 0.1; done']);
}

function argumentsOf(host: LabHost, port: number): Properties {
  return {
    hosts: [{ ...host.connection(), port }],
    ports: [{ container: 3000, host: 80 }],
    healthcheck: { http: { port: 3000, path: "/" } },
    update: { minHealthyTime: "1s", lockWait: "1s" },
  };
}

/**
 * What is left of a swap when the app's starts and stops, as docker alone does them, and the times that it has to be healthy
 * for are taken away.
 */
function overheadOf({ ms, operations, switch: way }: Rolled, { startMs, stopMs }: AloneMs): number {
  // a copy proves the version before the container itself takes its place, unless both can run side by side
  const times = way === "overlap" || way === "proxied" || !operations.some(isOfCopy) ? 1 : 2;
  // the copy stops when the swap is over
  return ms - times * (startMs + GATE_MS) - stopMs;
}

/** What a swap said, each with the time until it said the next thing. */
function timeline(rolled: Rolled | undefined): readonly string[] {
  if (rolled === undefined) return [];
  const { said, beganMs, ms } = rolled;
  const first = said[0]?.atMs ?? beganMs + ms;
  const lines = said.map(({ atMs, line }, at) => span(atMs, said[at + 1]?.atMs ?? beganMs + ms, line));
  return [span(beganMs, first, "looks and locks"), ...lines];
}

function span(fromMs: number, toMs: number, line: string): string {
  return `${String(Math.round(toMs - fromMs)).padStart(6)} ms  ${line.split("\n")[0]}`;
}

function isOfCopy(operation: string): boolean {
  return /\.try\b/.test(operation);
}

/**
 * While a gate was waited for, what was said were its probes; it says itself how it stands. While the host exchanges the
 * containers by itself nobody waits for an answer, but for its end.
 */
function gatesIn({ said, beganMs, ms }: Rolled): readonly Span[] {
  const endMs = beganMs + ms;
  return said.flatMap(({ atMs, line }, index) => {
    if (/^(gate|wait)|: waiting: /.test(line))
      return [{ fromMs: atMs, toMs: said[index + 1]?.atMs ?? endMs }];
    if (line !== "the host exchanges the containers") return [];
    const next = said.slice(index).find((each) => /^(rename|taking back)/.test(each.line));
    return [{ fromMs: atMs, toMs: next?.atMs ?? endMs }];
  });
}
