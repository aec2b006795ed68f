import type { PartialFailure, Properties } from "../handler";
import type { Redact } from "../secret";
import { withReserved } from "./reserved";

/** What Pulumi's host takes for "made, but not as asked": it saves the properties and fails the run. */
export interface InitFailure extends Error {
  readonly id: string;
  readonly properties: Record<string, unknown>;
  readonly reasons: readonly string[];
}

/**
 * The one way to report a partial failure. `__provider` and `__urn` always come along: a resource that is saved without
 * its provider can never be read, updated or deleted again.
 */
export function initFailure(failure: PartialFailure, source: Properties, redact: Redact): InitFailure {
  const message = redact(failure.message);
  const error = Object.assign(new Error(message), {
    id: failure.id,
    properties: { ...withReserved(failure.outputs, source), __failed: true },
    reasons: [message],
  });
  error.stack = "";
  return error;
}
