import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** A TCP port of this machine that leads to another one. */
export interface Relay {
  readonly port: number;
  /** Ends every connection that is open. */
  readonly cutAll: () => void;
  readonly stop: () => void;
}

/** What a test wants to know of the connections. */
export interface RelayEars {
  readonly connected?: (client: Socket) => void;
  readonly said?: (client: Socket, chunk: Buffer) => void;
}

/** Listens in front of `targetPort`; neither side waits for a full packet. */
export async function startRelay(targetPort: number, ears: RelayEars): Promise<Relay> {
  const sockets = new Set<Socket>();
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  const server = createServer({ noDelay: true }, (client) => {
    const onward = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
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
    client.on("data", (chunk: Buffer) => ears.said?.(client, chunk));
    client.pipe(onward);
    onward.pipe(client);
    ears.connected?.(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    cutAll,
    stop() {
      server.close();
      cutAll();
    },
  };
}
