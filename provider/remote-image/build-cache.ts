import type Docker from "dockerode";
import type { Log } from "../log";
import { isObject } from "../values";
import { formatBytes } from "./upload";

/**
 * Takes the oldest of an engine's build cache away until it holds no more than so much. What a build uses stays, and so do
 * images. By a call of our own: the client's sends no options.
 */
export async function pruneBuildCache(
  docker: Docker,
  keepBytes: number,
  { log, target, signal }: { readonly log: Log; readonly target: string; readonly signal: AbortSignal },
): Promise<void> {
  const answer = await new Promise<unknown>((resolve, reject) => {
    docker.modem.dial(
      {
        path: "/build/prune?",
        method: "POST",
        options: { all: true, "keep-storage": keepBytes },
        abortSignal: signal,
        statusCodes: { 200: true, 500: "server error" },
      },
      (error: Error | null, given: unknown) => (error ? reject(error) : resolve(given)),
    );
  });
  const freed = isObject(answer) && typeof answer.SpaceReclaimed === "number" ? answer.SpaceReclaimed : 0;
  if (freed > 0) log.progress(`${formatBytes(freed)} of build cache removed on ${target}`);
}
