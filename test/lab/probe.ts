import { Agent, get } from "node:http";

/** One request that did not get a good answer. */
export interface ProbeFailure {
  /** Since the start of the probe. */
  readonly atMs: number;
  readonly reason: string;
}

/** What a probe saw. */
export interface ProbeReport {
  readonly requests: number;
  readonly failed: number;
  /** The longest time from one good answer's request to the next one's, with a failure between them; 0 without failure. */
  readonly longestGapMs: number;
  readonly slowestMs: number;
  /** How often each body came. */
  readonly versions: Readonly<Record<string, number>>;
  readonly firstFailure?: ProbeFailure;
  readonly lastFailure?: ProbeFailure;
}

/** A running probe. */
export interface Probe {
  /** The numbers so far. */
  report(): ProbeReport;
  /** Ends the asking, waits for the answers under way, and reports; the same report when asked again. */
  stop(): Promise<ProbeReport>;
}

/** Settings of a probe. */
export interface ProbeOptions {
  /** @default 100 */
  readonly perSecond?: number;
  /** @default 2000 */
  readonly timeoutMs?: number;
  /** The probe ends by itself after this many requests. @default 60000 */
  readonly maxRequests?: number;
  /** Ask over connections that are kept open, sixteen at most. @default false: each over one of its own */
  readonly keepAlive?: boolean;
  /** Further header fields, such as `host`. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Sample {
  readonly atMs: number;
  readonly tookMs: number;
  readonly body?: string;
  readonly reason?: string;
}

const BODY_LIMIT = 200;

/** Asks a URL at a steady rate, until it is stopped. No request is retried. */
export function startProbe(url: string, options: ProbeOptions = {}): Probe {
  const {
    perSecond = 100,
    timeoutMs = 2_000,
    maxRequests = 60_000,
    keepAlive = false,
    headers = {},
  } = options;
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 16 }) : false;
  const started = performance.now();
  const samples: Sample[] = [];
  const underWay = new Set<Promise<void>>();
  let sent = 0;
  let stopped: Promise<ProbeReport> | undefined;

  const tick = (): void => {
    // A busy machine fires timers late: the requests that are due then go out together, and the rate holds.
    const due = Math.min(maxRequests, Math.floor(((performance.now() - started) / 1000) * perSecond) + 1);
    for (; sent < due; sent += 1) {
      const asking = ask({ url, agent, headers, timeoutMs }, started).then((sample) => {
        samples.push(sample);
        underWay.delete(asking);
      });
      underWay.add(asking);
    }
    if (sent >= maxRequests) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000 / perSecond);

  const stop = async (): Promise<ProbeReport> => {
    clearInterval(timer);
    const endMs = performance.now() - started;
    await Promise.all(underWay);
    if (agent !== false) agent.destroy();
    return summarize(samples, endMs);
  };
  return {
    report: () => summarize(samples, performance.now() - started),
    stop: () => (stopped ??= stop()),
  };
}

interface Question {
  readonly url: string;
  readonly agent: Agent | false;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

function ask({ url, agent, headers, timeoutMs }: Question, started: number): Promise<Sample> {
  const sentAt = performance.now();
  const atMs = sentAt - started;
  return new Promise((resolve) => {
    const finish = (result: { readonly body: string } | { readonly reason: string }): void => {
      clearTimeout(timer);
      resolve({ atMs, tookMs: performance.now() - sentAt, ...result });
    };
    const request = get(url, { agent, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body = (body + chunk).slice(0, BODY_LIMIT)));
      response.on("error", (error) => finish({ reason: error.message }));
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        finish(status >= 200 && status < 300 ? { body: body.trim() } : { reason: `HTTP ${status}` });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on("error", (error) => finish({ reason: error.message }));
  });
}

/** The numbers of a run that ended at `endMs`; failures up to the end count as a gap up to the end. */
function summarize(unordered: readonly Sample[], endMs: number): ProbeReport {
  const samples = [...unordered].sort((a, b) => a.atMs - b.atMs);
  const versions: Record<string, number> = {};
  const failures: ProbeFailure[] = [];
  let lastGoodMs = 0;
  let failedSince = false;
  let longestGapMs = 0;
  let slowestMs = 0;
  for (const { atMs, tookMs, body, reason } of samples) {
    slowestMs = Math.max(slowestMs, tookMs);
    if (body === undefined) {
      failures.push({ atMs, reason: reason ?? "" });
      failedSince = true;
      continue;
    }
    versions[body] = (versions[body] ?? 0) + 1;
    if (failedSince) longestGapMs = Math.max(longestGapMs, atMs - lastGoodMs);
    lastGoodMs = atMs;
    failedSince = false;
  }
  if (failedSince) longestGapMs = Math.max(longestGapMs, endMs - lastGoodMs);
  const [firstFailure, lastFailure] = [failures[0], failures.at(-1)];
  const ends = firstFailure === undefined || lastFailure === undefined ? {} : { firstFailure, lastFailure };
  return { requests: samples.length, failed: failures.length, longestGapMs, slowestMs, versions, ...ends };
}
