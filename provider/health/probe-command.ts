import { PassThrough, type Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type Docker from "dockerode";
import { engineMessage, engineStatus } from "../container/engine-status";
import { withExecSlot } from "./exec-slots";
import type { ProbeResult } from "./policy";
import type { ProbeOptions } from "./probe-options";
import { withTimeLimit } from "./time-limit";

/** Docker keeps as much of a HEALTHCHECK's output. */
const LONGEST_OUTPUT = 4_096;

/**
 * Runs a command inside the container; exit code 0 is good. One that hangs is left to itself (the Engine API cannot end
 * it) and has failed.
 */
export async function probeCommand(
  docker: Docker,
  id: string,
  argv: readonly string[],
  options: ProbeOptions,
): Promise<ProbeResult> {
  const began = options.clock.now();
  const took = (): number => options.clock.now() - began;
  try {
    // the time spent waiting for a slot is not the command's
    const outcome = await withExecSlot(docker, () =>
      withTimeLimit(options, (signal) => execInside(docker, id, argv, signal)),
    );
    if (outcome.kind === "late") {
      return { verdict: "fail", durationMs: took(), output: `${argv[0] ?? ""}: no end`, hung: true };
    }
    const { code, output } = outcome.value;
    if (code === 0) return { verdict: "pass", durationMs: took() };
    return { verdict: "fail", durationMs: took(), output: output.trim() || `exit code ${code ?? "unknown"}` };
  } catch (error) {
    // the engine's refusal (gone, stopped, no such program) is an answer; a lost line is none
    if (engineStatus(error) === undefined) throw error;
    return { verdict: "fail", durationMs: took(), output: engineMessage(error) };
  }
}

interface ExecResult {
  readonly code: number | undefined;
  readonly output: string;
}

async function execInside(
  docker: Docker,
  id: string,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<ExecResult> {
  const exec = await docker.getContainer(id).exec({
    Cmd: [...argv],
    AttachStdout: true,
    AttachStderr: true,
    abortSignal: signal,
  });
  const stream = await exec.start({ abortSignal: signal });
  const output = await outputOf(docker, stream, signal);
  const { ExitCode } = await exec.inspect({ abortSignal: signal });
  return { code: ExitCode ?? undefined, output };
}

async function outputOf(docker: Docker, stream: Readable, signal: AbortSignal): Promise<string> {
  const both = new PassThrough();
  let output = "";
  both.on("data", (chunk: Buffer) => {
    if (output.length < LONGEST_OUTPUT) output += chunk.toString("utf8");
  });
  (docker.modem as StreamDemuxer).demuxStream(stream, both, both);
  try {
    await finished(stream, { signal, writable: false });
  } finally {
    stream.destroy();
  }
  both.end();
  await finished(both);
  return output.slice(0, LONGEST_OUTPUT);
}

/** The one method of docker-modem that is needed here; it has no types of its own. */
interface StreamDemuxer {
  demuxStream(stream: Readable, stdout: PassThrough, stderr: PassThrough): void;
}
