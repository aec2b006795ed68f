import type { Duplex } from "node:stream";
import type { HostSession } from "../host/session";
import { openForwarded } from "./forwarded";
import type { HealthTest, ProbeResult } from "./policy";
import type { ProbeOptions } from "./probe-options";
import { runOnHost } from "./run-on-host";
import { withTimeLimit } from "./time-limit";

type HttpTest = Extract<HealthTest, { kind: "http" }>;

/** Headers that are longer than this are nobody's health answer; of the body no more is read than comes with them. */
const LONGEST_HEAD = 16_384;

/** One GET; redirects are answers like any other, none is followed. */
export async function probeHttp(
  session: HostSession,
  address: string,
  test: HttpTest,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const began = options.clock.now();
  const outcome = await withTimeLimit(options, async (signal): Promise<ProbeResult> => {
    const opened = await openForwarded(session, address, test.port, signal);
    if (opened.kind === "forbidden") return getOnHost(session, address, test, { ...options, signal });
    if (opened.kind === "closed") {
      const durationMs = options.clock.now() - began;
      return { verdict: "fail", durationMs, output: `port ${test.port}: connection refused` };
    }
    const answer = await get(opened.stream, address, test, signal);
    return verdictOn(answer, test, options.clock.now() - began);
  });
  if (outcome.kind === "done") return outcome.value;
  const durationMs = options.clock.now() - began;
  return { verdict: "fail", durationMs, output: `GET ${test.path}: no answer`, hung: true };
}

/** The request as it goes over the wire. */
export function formatRequest(address: string, test: HttpTest): string {
  const name = address.includes(":") ? `[${address}]` : address;
  return [
    `GET ${encodedPath(test)} HTTP/1.1`,
    `Host: ${name}:${test.port}`,
    "User-Agent: slipway-health",
    "Accept: */*",
    "Connection: close",
    "",
    "",
  ].join("\r\n");
}

interface Answer {
  /** 0: no HTTP answer came. */
  readonly status: number;
  /** The first bytes of the answer, for messages. */
  readonly text: string;
}

/** The status of an HTTP answer's head; undefined while its first line is not whole. */
function parseStatus(head: string): number | undefined {
  const end = head.indexOf("\n");
  if (end < 0) return undefined;
  return Number(/^HTTP\/\d(?:\.\d)? (\d{3})(?:\s|$)/.exec(head.slice(0, end))?.[1] ?? 0);
}

async function get(stream: Duplex, address: string, test: HttpTest, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head = "";
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      stream.removeAllListeners();
      stream.on("error", () => {}); // what a stream says after it was dropped is of no interest
      stream.destroy();
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const finish = (): void => settle(() => resolve({ status: parseStatus(`${head}\n`) ?? 0, text: head }));
    signal.addEventListener("abort", onAbort, { once: true });
    stream.on("data", (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (parseStatus(head) !== undefined || head.length > LONGEST_HEAD) finish();
    });
    stream.on("end", finish);
    stream.on("close", finish);
    stream.on("error", finish); // a reset after accept is the container's answer, not the line's
    stream.write(formatRequest(address, test));
  });
}

function verdictOn({ status, text }: Answer, test: HttpTest, durationMs: number): ProbeResult {
  if (isGood(status, test)) return { verdict: "pass", durationMs };
  if (status === 0) {
    const got = text === "" ? "closed without an answer" : "no HTTP answer";
    return { verdict: "fail", durationMs, output: `GET ${test.path}: ${got}` };
  }
  const wanted = test.status === undefined ? "200 to 399" : String(test.status);
  return { verdict: "fail", durationMs, output: `GET ${test.path}: status ${status}, wanted ${wanted}` };
}

function isGood(status: number, test: HttpTest): boolean {
  return test.status === undefined ? status >= 200 && status < 400 : status === test.status;
}

async function getOnHost(
  session: HostSession,
  address: string,
  test: HttpTest,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const began = options.clock.now();
  const ran = await runOnHost(session, hostCommands(address, test, options.timeoutMs), options);
  if (ran === undefined) {
    return {
      verdict: "cannot",
      reason: "the SSH server forbids forwarding, and the host has neither curl nor wget",
    };
  }
  // curl prints the code; wget prints the server's answers, the first of which is ours
  const printed = /^\s*(?:HTTP\/\S+ )?(\d{3})\b/m.exec(ran.stdout || ran.stderr)?.[1];
  return verdictOn({ status: Number(printed ?? 0), text: ran.stderr }, test, options.clock.now() - began);
}

/** curl, else wget: what can ask from the host itself, for servers that do not forward. */
export function hostCommands(
  address: string,
  test: HttpTest,
  timeoutMs: number,
): readonly (readonly string[])[] {
  const name = address.includes(":") ? `[${address}]` : address;
  const url = `http://${name}:${test.port}${encodedPath(test)}`;
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1_000)));
  return [
    ["curl", "-q", "-s", "-g", "-o", "/dev/null", "--noproxy", "*", "-m", seconds, "-w", "%{http_code}", url],
    ["wget", "-q", "-S", "-O", "/dev/null", "--no-proxy", "--max-redirect=0", "-t", "1", "-T", seconds, url],
  ];
}

/** What may not stand in a request line is encoded (a line break above all); what the user encoded stays. */
export function encodedPath({ path }: HttpTest): string {
  const absolute = path.startsWith("/") ? path : `/${path}`;
  return absolute.replace(/[^\u0021-\u007e]+/g, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join(""),
  );
}
