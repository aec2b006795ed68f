import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { type KeyExchangeOffer, PeerStart } from "../../provider/host/host-key/key-exchange";

/** A TCP proxy to a port of this machine that can lose everything on the way, while all sockets stay open. */
export async function startSilentWire(port: number, options: { readonly afterBytes?: number } = {}) {
  const sockets = new Set<Socket>();
  const starts: PeerStart[] = [];
  let silent = false;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    let passed = 0;
    const start = new PeerStart();
    starts.push(start);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}); // the other side left
      socket.on("close", () => {
        sockets.delete(socket);
        if (silent) return;
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk: Buffer) => {
      start.take(chunk);
      if (!silent) far.write(chunk);
    });
    far.on("data", (chunk: Buffer) => {
      const left = (options.afterBytes ?? Number.POSITIVE_INFINITY) - passed;
      if (silent || left <= 0) return;
      passed += chunk.length;
      near.write(chunk.subarray(0, left));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    /** What the newest client offered. */
    offer: (): KeyExchangeOffer | undefined => starts.at(-1)?.offer,
    /** How many clients have come. */
    clients: (): number => starts.length,
    /** From now on every byte is lost, in both directions. */
    goSilent(): void {
      silent = true;
    },
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
