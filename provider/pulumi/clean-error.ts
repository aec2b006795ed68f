import { messageOf } from "../errors";
import { debugWanted } from "../log";
import type { Redact } from "../secret";

/**
 * An error as Pulumi should get it: the message, without the stack. Pulumi shows the message with the resource. Besides,
 * its provider host prints `${error}: ${error.stack}` of whatever check, diff, read and delete throw, in the stack's row:
 * the whole message again. There it gets one short line instead, and the real stack only with SLIPWAY_DEBUG=1.
 */
export function cleanError(error: unknown, name: string, redact: Redact, environment = process.env): Error {
  const clean = new Error(redact(messageOf(error)));
  const stack = error instanceof Error ? error.stack : undefined;
  if (debugWanted(environment) && stack !== undefined) {
    clean.stack = redact(stack);
  } else {
    clean.toString = () => name || "slipway";
    clean.stack = "the reason is shown with the resource";
  }
  return clean;
}
