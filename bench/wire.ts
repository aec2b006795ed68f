import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { startDelayProxy } from "./delay-proxy";
import { median, rounded } from "./median";

const SAMPLES = 25;

/**
 * What one round trip takes over a line of `rttMs`, in milliseconds: a byte to an echo and back, through the same proxy as
 * all else. Timers and a busy machine make it a little longer than asked for.
 */
export async function measureRoundTrip(rttMs: number): Promise<number> {
  const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const proxy = await startDelayProxy((echo.address() as AddressInfo).port, rttMs);
  const socket = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    const times: number[] = [];
    for (let at = 0; at <= SAMPLES; at++) {
      const started = performance.now();
      socket.write("x");
      await once(socket, "data");
      times.push(performance.now() - started);
    }
    // the first one waits for the connection behind the proxy
    return rounded(median(times.slice(1)));
  } finally {
    socket.destroy();
    proxy.stop();
    echo.close();
  }
}
