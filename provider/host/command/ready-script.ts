import { PassThrough } from "node:stream";
import type { CommandOptions, CommandOutcome, ReadyOptions, ReadyScript } from "../session";
import { scriptCommand } from "./command";

const TIMEOUT_MS = 60_000;

/** What a ready script stands on. */
export interface ReadyContext {
  readonly exec: (argv: readonly string[], options: CommandOptions) => Promise<CommandOutcome>;
  /** Calls when others wait for a session channel; gives the way to stop that. */
  readonly onPressure: (giveUp: () => void) => () => void;
  readonly now: () => number;
  /** A word that no text holds. */
  readonly end: string;
}

/** See `HostSession.ready`. */
export function readyScript(
  { exec, onPressure, now, end }: ReadyContext,
  args: readonly string[],
  { readyMs = TIMEOUT_MS, timeoutMs = TIMEOUT_MS, ...options }: ReadyOptions,
): ReadyScript {
  const readyUntilMs = now() + readyMs;
  const input = new PassThrough();
  let state: "waits" | "runs" | "gone" = "waits";
  let hand: CommandOptions["onLine"];
  /** Without a text it does nothing, and ends. */
  const giveUp = (): void => {
    if (state !== "waits") return;
    state = "gone";
    input.end();
  };
  const stopListening = onPressure(giveUp);
  const { argv } = scriptCommand("", args, end);
  const ended = exec(argv, {
    ...options,
    timeoutMs: readyMs + timeoutMs,
    stdin: input,
    onLine: (line) => hand?.(line),
  });
  const settle = (): void => {
    stopListening();
    giveUp();
  };
  // whoever runs a text hears how that went; one that was never ready is started anew then
  ended.then(settle, settle);
  return {
    run(text, onLine) {
      const { stdin } = scriptCommand(text, args, end);
      // what is left of its time may be too little for the text
      if (now() > readyUntilMs) giveUp();
      if (state !== "waits")
        return exec(argv, { ...options, timeoutMs, stdin, ...(onLine ? { onLine } : {}) });
      state = "runs";
      hand = onLine;
      input.end(stdin);
      return ended;
    },
    drop: giveUp,
  };
}
