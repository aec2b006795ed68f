import type Docker from "dockerode";
import type { HostSession } from "../host/session";
import { redactor, stripControl, tail } from "../secret";
import { isObject } from "../values";
import { engineStatus } from "./engine-status";

const LINES = 20;

/** Where the container is. */
export interface EvidenceAccess {
  readonly session: Pick<HostSession, "redact">;
  readonly docker: Docker;
  readonly signal: AbortSignal;
}

/**
 * What a container that failed says for itself: how it ended, its check's last words, its own last lines. Every value of its
 * environment that is not its image's is blacked out. Empty when it is gone.
 */
export async function captureEvidence(
  { docker, session, signal }: EvidenceAccess,
  id: string,
  checkOutput: string,
): Promise<string> {
  try {
    const container = docker.getContainer(id);
    const inspect: unknown = await container.inspect({ abortSignal: signal });
    const log = await container.logs({
      stdout: true,
      stderr: true,
      tail: LINES,
      follow: false,
      abortSignal: signal,
    });
    const redact = redactor(await ownEnvironment(docker, inspect));
    const clean = (text: string): string => session.redact(redact(stripControl(text)));
    return formatEvidence({
      ending: endingOf(inspect),
      checkOutput: clean(checkOutput),
      lines: clean(tail(textOfLog(log, isTerminal(inspect)), LINES)),
    });
  } catch (error) {
    if (engineStatus(error) === 404) return "";
    throw error;
  }
}

interface Evidence {
  readonly ending: string;
  readonly checkOutput: string;
  readonly lines: string;
}

/** The evidence as it stands below an error. */
export function formatEvidence({ ending, checkOutput, lines }: Evidence): string {
  const parts = [
    ending,
    checkOutput.trim() === "" ? "" : `Its check said:\n${indent(tail(checkOutput, 5, 1_000))}`,
    lines.trim() === "" ? "It wrote nothing." : `Its last lines:\n${indent(lines)}`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** The engine's log stream: frames of eight bytes of head and a body, or plain text where the container has a terminal. */
export function textOfLog(log: Buffer, terminal: boolean): string {
  if (terminal) return log.toString("utf8");
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    parts.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString("utf8");
}

function endingOf(inspect: unknown): string {
  const state = isObject(inspect) && isObject(inspect.State) ? inspect.State : {};
  if (state.OOMKilled === true) return "It was killed for want of memory.";
  if (state.Status === "exited" && typeof state.ExitCode === "number")
    return `It exited with code ${state.ExitCode}.`;
  return "";
}

function isTerminal(inspect: unknown): boolean {
  return isObject(inspect) && isObject(inspect.Config) && inspect.Config.Tty === true;
}

/** Values that the program gave: those of the image itself are in everybody's hands. */
async function ownEnvironment(docker: Docker, inspect: unknown): Promise<readonly string[]> {
  const own = environmentIn(inspect);
  const imageId = isObject(inspect) && typeof inspect.Image === "string" ? inspect.Image : "";
  const ofImage = new Set(await imageEnvironment(docker, imageId));
  return own.filter((entry) => !ofImage.has(entry)).map((entry) => entry.slice(entry.indexOf("=") + 1));
}

async function imageEnvironment(docker: Docker, imageId: string): Promise<readonly string[]> {
  try {
    return environmentIn(await docker.getImage(imageId).inspect());
  } catch (error) {
    if (engineStatus(error) === 404) return [];
    throw error;
  }
}

function environmentIn(inspect: unknown): readonly string[] {
  const env = isObject(inspect) && isObject(inspect.Config) ? inspect.Config.Env : undefined;
  return Array.isArray(env) ? env.filter((entry): entry is string => typeof entry === "string") : [];
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, "  ");
}
