import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

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
  const sockets = new Set<Socket>();
  let most = Infinity;
  let sent = 0;
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  const server = createServer((client) => {
    const onward = connect(targetPort, "127.0.0.1");
    let bytes = 0;
    for (const [socket, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      sent += chunk.length;
      if (bytes > most) client.destroy();
    });
    client.pipe(onward);
    onward.pipe(client);
    if (most <= 0) client.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => sent,
    cutAfter: (bytes) => (most = bytes),
    cut() {
      most = 0;
      cutAll();
    },
    heal: () => (most = Infinity),
    stop() {
      server.close();
      cutAll();
    },
  };
}
