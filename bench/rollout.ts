import type { LabHost } from "../test/lab/lab-host";
import { messageOf } from "../provider/errors";
import { closeConnections } from "../provider/host/pool";
import type { Bench, BenchOptions, Measured, Row } from "./bench";
import { measureCosts } from "./rollout-cost";
import { measureGaps } from "./rollout-gap";
import { clearHost, startRolloutHost, versionsOf } from "./rollout-host";
import { measureMany, measureStarts } from "./rollout-many";
import { type LoadedWay, rollbackUnderLoad, swapUnderLoad } from "./rollout-swaps";

const FAR_MS = 80;
/** All requests of a way, without and with kept connections, at 200 a second. */
const LEAST_REQUESTS = 12_000;

/** What a swap costs, and what it costs the clients. */
export const rolloutBench: Bench = {
  columns: {
    part: "part",
    way: "way",
    clients: "clients",
    keepAlive: "kept",
    rtt: "RTT ms",
    requests: "requests",
    failed: "failed",
    ms: "ms",
    overMs: "beside app and gates",
    roundTrips: "round trips",
    samples: "samples",
    note: "note",
  },
  bounds: [
    { figure: "bridged_requests", atLeast: 2 * LEAST_REQUESTS },
    { figure: "bridged_failed", atMost: 0 },
    { figure: "proxied_requests", atLeast: 2 * LEAST_REQUESTS },
    { figure: "proxied_failed", atMost: 0 },
    { figure: "rollback_failed", atMost: 0 },
    { figure: "plain_gap_over_compose_ms", atMost: 0 },
    { figure: "swap_overhead_ms", atMost: 500 },
    { figure: "round_trips", atMost: 10 },
    { figure: "back_to_kept_ms", atMost: 1_000 },
    { figure: "ten_services_ratio", atMost: 1.5 },
    { figure: "ten_services_ratio_at_80", atMost: 1.5 },
  ],
  run: async (say, options) => {
    say("lab: starting a host with Docker, compose, HAProxy and the app (about a minute)");
    const host = await startRolloutHost();
    try {
      return await runOn(host, say, options);
    } finally {
      closeConnections();
      await host.remove();
    }
  },
};

type Say = (text: string) => void;
type Figures = Record<string, number>;

interface Stage {
  readonly host: LabHost;
  readonly quick: boolean;
  readonly say: Say;
  readonly figures: Figures;
}

/** The parts by name; each puts its figures among the others and returns its rows. */
const PARTS: Readonly<Record<string, (stage: Stage) => Promise<readonly Row[]>>> = {
  cost: async ({ host, quick, say, figures }) => {
    const { rows, overheadMs, roundTrips, backToKeptMs } = await measureCosts(host, quick ? 1 : 5, say);
    figures.swap_overhead_ms = overheadMs;
    figures.round_trips = roundTrips;
    figures.back_to_kept_ms = backToKeptMs;
    return rows;
  },
  many: async ({ host, quick, say, figures }) => {
    const rounds = quick ? 1 : 5;
    const starts = await measureStarts(host, rounds);
    const rows: Row[] = [...starts.rows];
    figures.ten_starts_extra_ms = starts.extraMs;
    for (const rttMs of [0, FAR_MS]) {
      for (const published of [false, true]) {
        const measured = await measureMany(host, { rttMs, published }, rounds, say);
        const at = rttMs === 0 ? "" : `_at_${rttMs}`;
        const which = `${published ? "_published" : ""}${at}`;
        figures[`ten_services_ratio${which}`] = measured.ratio;
        figures[`ten_services_extra_ms${which}`] = measured.extraMs;
        rows.push(...measured.rows);
      }
    }
    return rows;
  },
  gap: async ({ host, quick, say, figures }) => {
    const { rows, plainMs, composeMs, composeFailed } = await measureGaps(host, quick ? 1 : 5, say);
    figures.plain_gap_ms = plainMs;
    figures.compose_gap_ms = composeMs;
    figures.compose_failed = composeFailed;
    figures.plain_gap_over_compose_ms = plainMs - composeMs;
    return rows;
  },
  bridged: (stage) => swaps(stage, "bridged"),
  proxied: (stage) => swaps(stage, "proxied"),
  rollback: async ({ host, say, figures }) => {
    const { rows, failed } = await rollbackUnderLoad(host, say);
    figures.rollback_failed = failed;
    return rows;
  },
};

async function swaps({ host, quick, say, figures }: Stage, way: LoadedWay): Promise<readonly Row[]> {
  const { rows, requests, failed } = await swapUnderLoad(host, way, quick ? 30 : 60, say);
  figures[`${way}_requests`] = requests;
  figures[`${way}_failed`] = failed;
  return rows;
}

async function runOn(host: LabHost, say: Say, { quick, only }: BenchOptions): Promise<Measured> {
  const figures: Figures = {};
  const rows: Row[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue;
    say(name);
    try {
      rows.push(...(await part({ host, quick, say, figures })));
    } catch (error) {
      // the others are worth knowing; its figures stay away, and a figure that is missing holds no bound
      const reason = messageOf(error);
      say(`  NOT MEASURED: ${reason}`);
      rows.push({ part: name, note: reason.split("\n")[0] });
      await clearHost(host);
    }
  }
  return { rows, figures, versions: await versionsOf(host) };
}
