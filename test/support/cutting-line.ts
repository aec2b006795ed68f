import type { Socket } from "node:net";
import { startRelay } from "./relay";

/** A TCP port of this machine that leads to another one, until the test cuts it. */
export interface CuttingLine {
  readonly port: number;
  /** What the clients have sent since the start, in bytes. */
  readonly sent: () => number;
  /** Cuts every connection once its client has sent so many bytes, until `heal`. */
  cutAfter(bytes: number): void;
  /** Cuts what is open, and every further connection at once. */
  cut(): void;
  heal(): void;
  stop(): void;
}

/** Starts a line to a port of this machine. */
export async function startCuttingLine(targetPort: number): Promise<CuttingLine> {
  const heard = new WeakMap<Socket, number>();
  let most = Infinity;
  let sent = 0;
  const { port, cutAll, stop } = await startRelay(targetPort, {
    connected(client) {
      if (most <= 0) client.destroy();
    },
    said(client, { length }) {
      const bytes = (heard.get(client) ?? 0) + length;
      heard.set(client, bytes);
      sent += length;
      if (bytes > most) client.destroy();
    },
  });
  return {
    port,
    sent: () => sent,
    cutAfter: (bytes) => (most = bytes),
    cut() {
      most = 0;
      cutAll();
    },
    heal: () => (most = Infinity),
    stop,
  };
}
