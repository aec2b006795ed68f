import { setTimeout as wait } from "node:timers/promises";
import type { LabHost } from "../test/lab/lab-host";
import type { Contender, Session, Target } from "./contender";
import { median, rounded } from "./median";

/** One number of the table: a contender doing one thing at one round-trip time. */
export interface Sampled {
  readonly ms: number;
  readonly samples: number;
  readonly failures: number;
  /** By sshd's log, for each connection that the contender means to have. */
  readonly logins: number;
}

/** The scenarios in the order of the table. */
export const SCENARIOS = [
  "login",
  "exec",
  "call, cold",
  "call, warm",
  "40 calls at once",
  "200 listed",
] as const;
export type Scenario = (typeof SCENARIOS)[number];

const CALLS_AT_ONCE = 40;
/** Samples of forty at once, where a connection is kept; forty logins at once are done one time only. */
const FORTY_SAMPLES = 7;
/** Some never answer when a login was refused: that is a failure too. */
const LIMIT_MS = 15_000;

/** Measures one scenario; undefined where the contender has no such thing. */
export async function measure(
  scenario: Scenario,
  contender: Contender,
  target: Target,
  host: LabHost,
): Promise<Sampled | undefined> {
  const before = (await host.logins()).length;
  const taken =
    scenario === "login" || scenario === "call, cold"
      ? await cold(scenario, contender, target)
      : await warm(scenario, contender, target);
  if (taken === undefined) return undefined;
  const { times, failures, connections } = taken;
  const logins = (await host.loginsSince(before)).length / connections;
  return { ms: rounded(median(times)), samples: times.length, failures, logins: rounded(logins) };
}

interface Taken {
  readonly times: readonly number[];
  readonly failures: number;
  readonly connections: number;
}

/** A fresh connection for each sample. */
async function cold(scenario: Scenario, contender: Contender, target: Target): Promise<Taken | undefined> {
  // one that keeps no connection has no login apart from its calls
  if (scenario === "login" && !contender.keeps) return undefined;
  const times: number[] = [];
  const samples = Math.min(contender.samples, 5);
  for (let at = 0; at < samples; at++) {
    const started = performance.now();
    const session = await contender.open(target);
    if (scenario === "call, cold") await session.call();
    times.push(performance.now() - started);
    await session.close();
  }
  return { times, failures: 0, connections: samples };
}

/** One connection for all samples; the first, uncounted one warms it. */
async function warm(scenario: Scenario, contender: Contender, target: Target): Promise<Taken | undefined> {
  const session = await contender.open(target);
  try {
    const once = doing(scenario, session);
    if (once === undefined || (scenario === "call, warm" && !contender.keeps)) return undefined;
    const forty = scenario === "40 calls at once";
    const samples = Math.min(contender.samples, forty ? (contender.keeps ? FORTY_SAMPLES : 1) : Infinity);
    const times: number[] = [];
    let failures = 0;
    // before forty calls, one is made: the connection is warm, not the channels that the forty will need
    if (contender.keeps) await (forty ? session.call() : once());
    for (let at = 0; at < samples; at++) {
      const started = performance.now();
      failures += await once();
      times.push(performance.now() - started);
    }
    return { times, failures, connections: 1 };
  } finally {
    await session.close();
  }
}

async function inTime(call: Promise<unknown>): Promise<unknown> {
  const late = new AbortController();
  const limit = wait(LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error("no answer in time");
  });
  limit.catch(() => {}); // ended below, when the call was in time
  try {
    return await Promise.race([call, limit]);
  } finally {
    late.abort();
  }
}

/** Does it once; resolves to the number of failures. */
function doing(scenario: Scenario, session: Session): (() => Promise<number>) | undefined {
  const { exec, call, list } = session;
  switch (scenario) {
    case "exec":
      return exec && (async () => (await exec(), 0));
    case "40 calls at once":
      return async () => {
        const ends = await Promise.allSettled(Array.from({ length: CALLS_AT_ONCE }, () => inTime(call())));
        return ends.filter(({ status }) => status === "rejected").length;
      };
    case "200 listed":
      return async () => {
        const found = await list();
        if (found !== 200) throw new Error(`200 containers stand there, ${found} were listed`);
        return 0;
      };
    default:
      return async () => (await call(), 0);
  }
}
