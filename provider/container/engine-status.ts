import { isObject } from "../values";

/** The HTTP status with which the Docker Engine answered; undefined when the error is not an answer of the engine. */
export function engineStatus(error: unknown): number | undefined {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" ? status : undefined;
}

/** What dockerode puts before the engine's words: `(HTTP code 400) unexpected - `. */
const DOCKERODE_PREFIX = /^\(HTTP code \d{3}\) [^-]* - /;

/** The engine's own words in an error answer (`{"message": …}`), for showing only; else the error's message. */
export function engineMessage(error: unknown): string {
  const json: unknown = error instanceof Error && "json" in error ? error.json : undefined;
  if (isObject(json) && typeof json.message === "string") return json.message;
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(DOCKERODE_PREFIX, "");
}

/** Waits for a call of the engine, and takes these answers of it for done: what is so already, or is gone. */
export async function allowing(statuses: readonly number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error;
  }
}
