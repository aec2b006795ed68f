import type { Duplex } from "node:stream";
import { REFUSAL } from "../host/channel-refused";
import type { HostSession } from "../host/session";

/** An address as seen from the host, or why there is no stream to it. */
export type Forwarded =
  | { readonly kind: "stream"; readonly stream: Duplex }
  /** Nobody listens there. */
  | { readonly kind: "closed" }
  /** The server does not forward for us: another way has to be taken. */
  | { readonly kind: "forbidden" };

const NOT_FORWARDING: readonly number[] = [REFUSAL.prohibited, REFUSAL.unknownType, REFUSAL.shortage];

/**
 * Opens a forwarded stream.
 * @throws whatever is neither of the server's two refusals, such as a lost connection
 */
export async function openForwarded(
  session: HostSession,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<Forwarded> {
  try {
    const stream = await session.forward(address, port, signal);
    if (signal.aborted) {
      stream.destroy();
      throw signal.reason;
    }
    return { kind: "stream", stream };
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === REFUSAL.connectFailed) return { kind: "closed" };
    if (reason !== undefined && NOT_FORWARDING.includes(reason)) return { kind: "forbidden" };
    throw error;
  }
}

/** The reason code stands in the error, or in the one that caused it. */
function refusalOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("reason" in error && typeof error.reason === "number") return error.reason;
  return refusalOf(error.cause);
}
