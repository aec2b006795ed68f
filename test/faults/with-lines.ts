import type { Service } from "./service";

/** The same error; its cause is the last that was logged, which helps to see why. */
export function withLines(error: unknown, service: Service): Error {
  const message = error instanceof Error ? error.message : String(error);
  const tail = service.lines.filter((line) => !/^debug (api|ssh|engine|root@|GET|\s)/.test(line)).slice(-25);
  return new Error(message, { cause: tail.map((line) => line.slice(0, 400)).join("\n") });
}
