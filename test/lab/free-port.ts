import { randomInt } from "node:crypto";
import { createServer } from "node:net";

const FIRST = 20_000;
const LAST = 32_000; // from 32768 on, the kernel hands ports out by itself

/**
 * A port on 127.0.0.1 that nobody listens on. Chosen by us rather than by Docker: Docker takes another one at every start,
 * and a lab host that was rebooted has to answer where it answered before.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
