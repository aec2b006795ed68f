import type { Properties } from "../provider/handler";
import type { LabHost } from "../test/lab/lab-host";
import type { Row } from "./bench";
import { startDelayProxy } from "./delay-proxy";
import { median } from "./median";
import { imageOf } from "./rollout-app";
import { clearHost } from "./rollout-host";
import { Service } from "./rollout-service";

/** How much longer many at once take than one. */
export interface Crowded {
  readonly rows: readonly Row[];
  readonly ratio: number;
  /** The difference. */
  readonly extraMs: number;
}

const MANY = 10;
const FIRST_PORT = 9_001;

/** How the services are, and how far away. */
export interface Crowd {
  readonly rttMs: number;
  /** Each has a port of the host; without, old and new overlap. */
  readonly published: boolean;
}

/** Ten services with http checks changed at once on one host, beside one alone. */
export async function measureMany(
  host: LabHost,
  { rttMs, published }: Crowd,
  rounds: number,
  say: (text: string) => void,
): Promise<Crowded> {
  const delay = rttMs === 0 ? undefined : await startDelayProxy(host.sshPort, rttMs);
  try {
    const connection = { ...host.connection(), port: delay?.port ?? host.sshPort };
    const services = Array.from({ length: MANY }, (_, at) => serviceAt(connection, at, published));
    await Promise.all(services.map((service) => service.roll(imageOf("v1"))));
    const one: number[] = [];
    const all: number[] = [];
    let way = "";
    for (let round = 0; round < rounds; round += 1) {
      const more = { env: { TRY: String(round) } };
      const began = performance.now();
      way = (await services[0]?.roll(imageOf("v2"), more))?.switch ?? "";
      one.push(performance.now() - began);
      const begun = performance.now();
      // the first has run alone: another version for it, so that ten are swapped
      await Promise.all(services.map((service) => service.roll(imageOf("v3"), more)));
      all.push(performance.now() - begun);
      say(
        `  ${rttMs} ms of round-trip time: one ${Math.round(one.at(-1) ?? 0)} ms, ten ${Math.round(all.at(-1) ?? 0)} ms`,
      );
    }
    for (const service of services) await service.remove();
    await clearHost(host);
    const row = (part: string, times: readonly number[]): Row => ({
      part,
      way,
      rtt: rttMs,
      ms: Math.round(median(times)),
      samples: times.length,
    });
    return { rows: [row("one service", one), row("ten at once", all)], ...compared(all, one) };
  } finally {
    delay?.stop();
  }
}

function compared(all: readonly number[], one: readonly number[]): Pick<Crowded, "ratio" | "extraMs"> {
  const [many, alone] = [median(all), median(one)];
  return { ratio: Math.round((many / alone) * 100) / 100, extraMs: Math.round(many - alone) };
}

function serviceAt(connection: Properties, at: number, published: boolean): Service {
  return new Service(`service-${at + 1}`, {
    hosts: [connection],
    ports: [{ container: 3000, ...(published ? { host: FIRST_PORT + at } : {}) }],
    healthcheck: { http: { port: 3000, path: "/" } },
    update: { lockWait: "1s" },
  });
}

/** The same of `docker start` alone: what the machine itself makes of ten at once. */
export async function measureStarts(host: LabHost, rounds: number): Promise<Crowded> {
  const names = Array.from({ length: MANY }, (_, at) => `alone-${at + 1}`);
  for (const name of names) await host.must(["docker", "create", "--name", name, imageOf("v1")]);
  const time = async (started: readonly string[]): Promise<number> => {
    const began = performance.now();
    await host.must(["sh", "-c", 'for name; do docker start "$name" & done; wait', "starts", ...started]);
    const ms = performance.now() - began;
    await host.must(["docker", "kill", ...started]);
    return ms;
  };
  const one: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    one.push(await time(names.slice(0, 1)));
    all.push(await time(names));
  }
  await clearHost(host);
  const row = (part: string, times: readonly number[]): Row => ({
    part,
    way: "docker start",
    rtt: 0,
    ms: Math.round(median(times)),
    samples: times.length,
  });
  return { rows: [row("one service", one), row("ten at once", all)], ...compared(all, one) };
}
