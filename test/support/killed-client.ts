import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Properties } from "../../provider/handler";

const PROGRAM = join(__dirname, "rolling-program.ts");

/** Rolls a service out from a process of its own, and kills that one with SIGKILL when it says `text`, which it has to. */
export async function killClientAt(
  text: string,
  rollout: { readonly base: Properties; readonly olds: Properties; readonly image: string },
): Promise<void> {
  const client = spawn(process.execPath, ["--import=tsx", PROGRAM, JSON.stringify(rollout)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(client, "exit");
  client.stdout.on("data", (said: Buffer) => said.includes(text) && client.kill("SIGKILL"));
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  assert.equal(signal, "SIGKILL", `it ended without saying "${text}"`);
}
