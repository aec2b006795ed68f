import type { HostSession } from "../host/session";
import { openForwarded } from "./forwarded";
import type { ProbeResult } from "./policy";
import type { ProbeOptions } from "./probe-options";
import { runOnHost } from "./run-on-host";
import { withTimeLimit } from "./time-limit";

/** Good when the port accepts a connection, which is closed again at once. */
export async function probeTcp(
  session: HostSession,
  address: string,
  port: number,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const began = options.clock.now();
  const outcome = await withTimeLimit(options, async (signal): Promise<ProbeResult> => {
    const opened = await openForwarded(session, address, port, signal);
    if (opened.kind === "forbidden") return connectOnHost(session, address, port, { ...options, signal });
    const durationMs = options.clock.now() - began;
    if (opened.kind === "closed")
      return { verdict: "fail", durationMs, output: `port ${port}: connection refused` };
    opened.stream.on("error", () => {}); // it has answered; what comes after is of no interest
    opened.stream.destroy();
    return { verdict: "pass", durationMs };
  });
  if (outcome.kind === "done") return outcome.value;
  const durationMs = options.clock.now() - began;
  return { verdict: "fail", durationMs, output: `port ${port}: no answer`, hung: true };
}

// a fixed text of ours: address and port come in as arguments
const BASH_CONNECT = 'exec 3<>"/dev/tcp/$1/$2"';

async function connectOnHost(
  session: HostSession,
  address: string,
  port: number,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const began = options.clock.now();
  const seconds = String(Math.max(1, Math.ceil(options.timeoutMs / 1_000)));
  const ran = await runOnHost(
    session,
    [
      ["bash", "-c", BASH_CONNECT, "probe", address, String(port)],
      ["nc", "-z", "-w", seconds, address, String(port)],
    ],
    options,
  );
  if (ran === undefined) {
    return {
      verdict: "cannot",
      reason: "the SSH server forbids forwarding, and the host has no bash and no nc",
    };
  }
  const durationMs = options.clock.now() - began;
  if (ran.code === 0) return { verdict: "pass", durationMs };
  return { verdict: "fail", durationMs, output: ran.stderr.trim() || `port ${port}: connection refused` };
}
