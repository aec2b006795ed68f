import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 40;

/** Waits for a real condition by looking again and again; fails, naming it, when it does not come about. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await pause(POLL_MS);
  }
}
