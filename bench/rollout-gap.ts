import type { LabHost } from "../test/lab/lab-host";
import { until } from "../test/lab/until";
import type { Row } from "./bench";
import { median } from "./median";
import { imageOf } from "./rollout-app";
import { clearHost } from "./rollout-host";
import { type Load, type LoadReport, loadFromOutside } from "./rollout-load";
import { Service } from "./rollout-service";

/** What a plain swap costs beside compose's. */
export interface Gaps {
  readonly rows: readonly Row[];
  readonly plainMs: number;
  readonly composeMs: number;
  readonly composeFailed: number;
}

/** Finer than the gap is, and not so many that the machine is the one who is measured. */
const PER_SECOND = 100;

const COMPOSE = (version: string): string => `services:
  shop:
    image: ${imageOf(version)}
    restart: unless-stopped
    ports: ["80:3000"]
`;

/** The same app on the same port, swapped by a plain switch and by `docker compose up -d`, in turns. */
export async function measureGaps(host: LabHost, swaps: number, say: (text: string) => void): Promise<Gaps> {
  const ours: LoadReport[] = [];
  const theirs: LoadReport[] = [];
  for (let at = 0; at < swaps; at += 1) {
    ours.push(await plainSwap(host));
    await clearHost(host);
    theirs.push(await composeSwap(host));
    await clearHost(host);
    say(`  gap of swap ${at + 1}: plain ${ours.at(-1)?.gapMs} ms, compose ${theirs.at(-1)?.gapMs} ms`);
  }
  const rowOf = (by: string, reports: readonly LoadReport[]): Row => ({
    part: "gap",
    way: by,
    clients: "outside",
    keepAlive: "no",
    requests: sum(reports, ({ requests }) => requests),
    failed: sum(reports, ({ failed }) => failed),
    ms: median(reports.map(({ gapMs }) => gapMs)),
    samples: reports.length,
  });
  return {
    rows: [rowOf("plain", ours), rowOf("compose", theirs)],
    plainMs: median(ours.map(({ gapMs }) => gapMs)),
    composeMs: median(theirs.map(({ gapMs }) => gapMs)),
    composeFailed: median(theirs.map(({ failed }) => failed)),
  };
}

async function plainSwap(host: LabHost): Promise<LoadReport> {
  const service = new Service("shop", {
    hosts: [host.connection()],
    ports: [{ container: 3000, host: 80 }],
    healthcheck: { http: { port: 3000, path: "/" } },
    update: { switch: "plain", minHealthyTime: "1s", lockWait: "1s" },
  });
  await service.roll(imageOf("v1"));
  const load = await outside(host);
  await service.roll(imageOf("v2"));
  return load.stop();
}

async function composeSwap(host: LabHost): Promise<LoadReport> {
  const up = async (version: string): Promise<void> => {
    await host.must(["mkdir", "-p", "/root/compose"]);
    await host.must(["sh", "-c", "cat >/root/compose/compose.yaml"], { input: COMPOSE(version) });
    await host.must(["docker", "compose", "--project-directory", "/root/compose", "up", "-d"]);
  };
  await up("v1");
  const load = await outside(host);
  await up("v2");
  return load.stop();
}

/** Asks until it is stopped; a swap that has just ended is seen to the first good answer after it. */
async function outside(host: LabHost): Promise<Load> {
  const url = `http://${host.internalAddress}/`;
  const load = await loadFromOutside(url, { perSecond: PER_SECOND, keepAlive: false });
  return {
    stop: async () => {
      await answers(url);
      return load.stop();
    },
  };
}

async function answers(url: string): Promise<void> {
  const asked = (): Promise<boolean> =>
    fetch(url, { headers: { connection: "close" } }).then(
      (response) => response.text().then(() => response.ok),
      () => false,
    );
  await until(`${url} to answer after a swap`, asked);
}

function sum(reports: readonly LoadReport[], of: (report: LoadReport) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}
