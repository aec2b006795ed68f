import { systemClock } from "../../provider/clock";
import type { HandlerContext } from "../../provider/handler";

/** What the provider of a stack gives a handler; `onLine` hears all that is said but debugging. */
export function labContext(onLine: (line: string) => void = () => {}): HandlerContext {
  return {
    urn: "",
    name: "host",
    log: { progress: onLine, keep: onLine, warn: onLine, debug: () => {} },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "e2e",
    stack: "p/s",
  };
}
