import { systemClock } from "../../provider/clock";
import type { WithHostOptions } from "../../provider/host/pool";

/** What a borrower of a connection brings along, with every log line kept in `lines`. */
export function borrower(parts: Partial<WithHostOptions> = {}) {
  const lines: string[] = [];
  const write = (text: string): void => {
    lines.push(text);
  };
  const options: WithHostOptions = {
    log: { progress: write, keep: write, warn: write, debug: write },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    ...parts,
  };
  return { options, lines };
}
