import { spawn } from "node:child_process";
import { once } from "node:events";
import { docker } from "../test/lab/docker";
import type { LabHost } from "../test/lab/lab-host";
import { until } from "../test/lab/until";
import { CLIENT_IMAGE } from "./rollout-app";

/** What one client saw. No request is asked twice. */
export interface LoadReport {
  readonly requests: number;
  /** Refused, reset, not answered with 200, or not within the limit. */
  readonly failed: number;
  /** The longest time from one good answer's request to the next one's, with a failure between them; 0 without failure. */
  readonly gapMs: number;
  readonly slowestMs: number;
  /** How often each body came. */
  readonly versions: Readonly<Record<string, number>>;
  /** The first few, with their time since the start. */
  readonly reasons: readonly string[];
}

/** A client that asks until it is stopped, in a process of its own. */
export interface Load {
  stop(): Promise<LoadReport>;
}

/** How a client asks. */
export interface LoadOptions {
  readonly perSecond: number;
  readonly keepAlive: boolean;
  /** The Host header; the URL's own by default. */
  readonly hostName?: string;
}

const TIMEOUT_MS = 10_000;

/** The client's own program; runs wherever there is a Node. A late timer sends what is due at once, so that the rate holds. */
const CLIENT = `
const http = require("node:http");
const [, url, perSecond, keepAlive, hostName] = process.argv;
const agent = keepAlive === "true" ? new http.Agent({ keepAlive: true, maxSockets: 8, scheduling: "fifo" }) : false;
const headers = hostName ? { host: hostName } : {};
const started = performance.now();
const samples = [];
let sent = 0, underWay = 0, ending = false, begun = false;
const done = (sample) => {
  samples.push(sample);
  underWay -= 1;
  if (sample.body !== undefined && !begun) { begun = true; console.log("begun"); }
  if (ending && underWay === 0) report();
};
const ask = () => {
  const at = performance.now();
  let over = false;
  const finish = (result) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    done({ at: at - started, took: performance.now() - at, ...result });
  };
  underWay += 1;
  const request = http.get(url, { agent, headers }, (response) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk));
    response.on("error", (error) => finish({ reason: error.message }));
    response.on("end", () => finish(response.statusCode === 200 ? { body } : { reason: "HTTP " + response.statusCode }));
    response.on("close", () => finish({ reason: "closed amid the answer" }));
  });
  const timer = setTimeout(() => request.destroy(new Error("no answer in ${TIMEOUT_MS} ms")), ${TIMEOUT_MS});
  request.on("error", (error) => finish({ reason: (request.reusedSocket ? "kept connection: " : "") + (error.code || error.message) }));
};
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - started) / 1000) * Number(perSecond)) + 1;
  for (; sent < due; sent += 1) ask();
}, 1000 / Number(perSecond));
const report = () => {
  samples.sort((a, b) => a.at - b.at);
  let good = 0, bad = false, gapMs = 0, slowestMs = 0, failed = 0;
  const versions = {}, reasons = [];
  for (const { at, took, body, reason } of samples) {
    slowestMs = Math.max(slowestMs, Math.round(took));
    if (body === undefined) {
      failed += 1;
      bad = true;
      if (reasons.length < 5) reasons.push(Math.round(at) + " ms: " + reason);
      continue;
    }
    versions[body] = (versions[body] || 0) + 1;
    if (bad) gapMs = Math.max(gapMs, Math.round(at - good));
    good = at;
    bad = false;
  }
  if (bad) gapMs = Math.max(gapMs, Math.round(performance.now() - started - good));
  console.log(JSON.stringify({ requests: samples.length, failed, gapMs, slowestMs, versions, reasons }));
  process.exit(0);
};
process.on("SIGTERM", () => {
  clearInterval(timer);
  ending = true;
  if (underWay === 0) report();
});
`;

const argsOf = (url: string, { perSecond, keepAlive, hostName = "" }: LoadOptions): readonly string[] => [
  "-e",
  CLIENT,
  url,
  String(perSecond),
  String(keepAlive),
  hostName,
];

/** A client on this machine, outside the lab host; resolves at its first good answer. */
export async function loadFromOutside(url: string, options: LoadOptions): Promise<Load> {
  const child = spawn(process.execPath, argsOf(url, options), { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const ended = once(child, "close");
  await until(`the load on ${url} to begin`, () => Promise.resolve(printed.includes("begun")));
  return {
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      return parse(printed);
    },
  };
}

let clients = 0;

/** A client in a container of the lab host; the network `host` makes it one of the host itself. */
export async function loadFromContainer(
  host: LabHost,
  network: string,
  url: string,
  options: LoadOptions,
): Promise<Load> {
  clients += 1;
  const name = `client-${clients}`;
  const printed = (): Promise<string> => docker(["exec", host.name, "docker", "logs", name]);
  const run = ["docker", "run", "-d", "--name", name, "--network", network, CLIENT_IMAGE, "/node"];
  await host.must([...run, ...argsOf(url, options)]);
  await until(`the load of ${name} on ${url} to begin`, async () => (await printed()).includes("begun"));
  return {
    stop: async () => {
      await host.must(["docker", "stop", "--time", "30", name]);
      const report = parse(await printed());
      await host.must(["docker", "rm", name]);
      return report;
    },
  };
}

function parse(printed: string): LoadReport {
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as LoadReport;
}
