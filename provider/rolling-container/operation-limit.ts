import type { Operation } from "./operation";

const MINUTE_MS = 60_000;

/** How long one operation may take. Copying a volume's first content, or removing a large container, takes its time. */
export function limitOf(operation: Operation, stopTimeoutMs = 10_000): number {
  switch (operation.kind) {
    case "create":
    case "start":
    case "remove":
    case "remove-volume":
    case "untag":
      return 3 * MINUTE_MS;
    // gets certificates, too
    case "write-route":
      return 12 * MINUTE_MS;
    // a change of a proxy waits for others' changes of it first, and for an exchange of the proxy itself
    case "remove-route":
    case "ready-server":
    case "drain-server":
    case "remove-server":
      return 8 * MINUTE_MS;
    case "await-drained":
      return operation.timeoutMs + MINUTE_MS;
    case "stop":
      return stopTimeoutMs + MINUTE_MS;
    case "gate":
    case "await-exit":
      return operation.deadlineMs + MINUTE_MS;
    default:
      return MINUTE_MS;
  }
}
