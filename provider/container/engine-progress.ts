import type Docker from "dockerode";
import { isObject } from "../values";

/** One event of an answer that tells how its work goes on, as the engine wrote it. */
export type EngineEvent = Readonly<Record<string, unknown>>;

/**
 * Follows the answer of a pull, push, load or import to its end.
 * @throws Error what the engine says there: what fails once an answer has begun with 200 is an event like any other, and the last
 */
export async function followProgress(
  docker: Docker,
  answer: NodeJS.ReadableStream,
  heard: (event: EngineEvent) => void = () => {},
): Promise<void> {
  let refusal: string | undefined;
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      answer,
      (error) => (error ? reject(error) : resolve()),
      (event: unknown) => {
        if (!isObject(event)) return;
        if (typeof event.error === "string") refusal = event.error;
        heard(event);
      },
    );
  });
  if (refusal !== undefined) throw new Error(refusal);
}
