import { setTimeout as wait } from "node:timers/promises";
import type { Properties } from "../provider/handler";
import type { LabHost } from "../test/lab/lab-host";
import type { Row } from "./bench";
import { SICK_IMAGE, imageOf } from "./rollout-app";
import { type ClientReport, startClients } from "./rollout-clients";
import { clearHost, OWN_NETWORK } from "./rollout-host";
import { Proxy, Service } from "./rollout-service";

/** A way to switch that is held under load. */
export type LoadedWay = "bridged" | "proxied";

/** What all clients saw of one way together. */
export interface SwapsUnderLoad {
  readonly rows: readonly Row[];
  readonly requests: number;
  readonly failed: number;
}

const SWAPS = 3;
const ROUTE_NAME = "shop.example.com";
/** Kept connections never drain by themselves: past this the old one is stopped, and tells them to close. */
const STOP_TIMEOUT = "3s";

const PORT = { ports: [{ container: 3000, host: 80 }] };

/**
 * Three swaps within `seconds` of load, without and then with kept connections; before them the same load without any swap,
 * for a machine that loses requests by itself proves nothing.
 * @throws Error when the machine is overloaded, or the swap went another way
 */
export async function swapUnderLoad(
  host: LabHost,
  way: LoadedWay,
  seconds: number,
  say: (text: string) => void,
): Promise<SwapsUnderLoad> {
  const rows: Row[] = [];
  for (const keepAlive of [false, true]) {
    const service = new Service("shop", await argumentsOf(host, way));
    await service.roll(imageOf("v1"));
    const load = { keepAlive, ...(way === "proxied" ? { hostName: ROUTE_NAME } : {}) };
    await control(host, load, Math.min(10, seconds / 4));
    const clients = await startClients(host, 80, load);
    const beganMs = performance.now();
    for (let swap = 1; swap <= SWAPS; swap += 1) {
      await sleepUntil(beganMs + ((swap - 0.75) / SWAPS) * seconds * 1_000);
      const rolled = await service.roll(imageOf(`v${swap + 1}`));
      if (rolled.switch !== way) throw new Error(`the swap went ${rolled.switch} and not ${way}`);
      say(`  ${way}, kept connections ${yes(keepAlive)}: swap ${swap} took ${Math.round(rolled.ms)} ms`);
    }
    await sleepUntil(beganMs + seconds * 1_000);
    const reports = await clients.stop();
    rows.push(...reports.map((report) => rowOf(way, keepAlive, report)));
    sayFailures(reports, say);
    await service.remove();
    await clearHost(host);
  }
  return { rows, ...totals(rows) };
}

/** A bridged swap under the same load to a version whose copy passes and that fails at its port: the old one comes back. */
export async function rollbackUnderLoad(host: LabHost, say: (text: string) => void): Promise<SwapsUnderLoad> {
  const service = new Service("shop", await argumentsOf(host, "bridged"));
  await service.roll(imageOf("v1"));
  await control(host, { keepAlive: false }, 2);
  const clients = await startClients(host, 80, { keepAlive: false });
  const why = await service.roll(SICK_IMAGE).then(
    () => "",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const reports = await clients.stop();
  if (why === "") throw new Error("a version that does not serve at its port was kept");
  if (!reports.some(({ versions }) => "sick" in versions))
    throw new Error(`it did not come to a rollback, the copy never served: ${why}`);
  say(`  rollback: ${why.split("\n")[0]}`);
  sayFailures(reports, say);
  const rows = reports.map((report) => rowOf("rollback", false, report));
  await clearHost(host);
  return { rows, ...totals(rows) };
}

async function argumentsOf(host: LabHost, way: LoadedWay): Promise<Properties> {
  const common = {
    hosts: [host.connection()],
    networks: [OWN_NETWORK],
    healthcheck: { http: { port: 3000, path: "/" } },
    stopTimeout: STOP_TIMEOUT,
  };
  const update = { minHealthyTime: "1s", healthyDeadline: "20s", lockWait: "1s" };
  if (way === "bridged") return { ...common, ...PORT, update: { ...update, switch: "bridged" } };
  const proxy = new Proxy("edge");
  await proxy.up({ host: host.connection(), image: "haproxy-lab:trixie", network: OWN_NETWORK });
  return { ...common, update, route: { proxy: proxy.output("ref"), hosts: [ROUTE_NAME], port: 3000 } };
}

/** @throws Error when requests fail though nothing happens */
async function control(
  host: LabHost,
  load: { readonly keepAlive: boolean; readonly hostName?: string },
  seconds: number,
): Promise<void> {
  const clients = await startClients(host, 80, load);
  await wait(seconds * 1_000);
  const reports = await clients.stop();
  const lost = reports.filter(({ failed }) => failed > 0);
  if (lost.length === 0) return;
  const seen = lost.map((each) => `${each.clients} ${each.failed} of ${each.requests} (${each.reasons[0]})`);
  throw new Error(`the machine is overloaded, requests fail without any swap: ${seen.join(", ")}`);
}

function rowOf(way: string, keepAlive: boolean, report: ClientReport): Row {
  const { clients, requests, failed, slowestMs } = report;
  return { part: "swaps", way, clients, keepAlive: yes(keepAlive), requests, failed, ms: slowestMs };
}

function sayFailures(reports: readonly ClientReport[], say: (text: string) => void): void {
  for (const { clients, failed, reasons } of reports)
    if (failed > 0) say(`    ${clients}: ${failed} failed: ${reasons.join(", ")}`);
}

function totals(rows: readonly Row[]): { readonly requests: number; readonly failed: number } {
  const total = (key: string): number => rows.reduce((sum, row) => sum + Number(row[key]), 0);
  return { requests: total("requests"), failed: total("failed") };
}

function yes(is: boolean): string {
  return is ? "yes" : "no";
}

async function sleepUntil(atMs: number): Promise<void> {
  await wait(Math.max(0, atMs - performance.now()));
}
