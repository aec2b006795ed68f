import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** The last of a wait is spent turning: timers come up to a millisecond late. */
const TURNING_MS = 1.2;

const targetPort = Number(process.argv[2]);
const rttMs = Number(process.argv[3]);
const portCount = Number(process.argv[4]);
let bytes = 0;
let connections = 0;

/** What is on its way in one direction; `undefined` is the end. */
class DelayLine {
  private readonly onItsWay: { readonly due: number; readonly chunk: Buffer | undefined }[] = [];
  private readonly to: Socket;
  private waiting = false;

  constructor(to: Socket) {
    this.to = to;
  }

  send(chunk: Buffer | undefined, due: number): void {
    bytes += chunk?.length ?? 0;
    this.onItsWay.push({ due, chunk });
    this.deliver();
  }

  private deliver(): void {
    if (this.waiting) return;
    for (let next = this.onItsWay[0]; next !== undefined; next = this.onItsWay[0]) {
      const left = next.due - performance.now();
      if (left > 0) return this.wait(left);
      this.onItsWay.shift();
      if (next.chunk === undefined) this.to.end();
      else this.to.write(next.chunk);
    }
  }

  private wait(left: number): void {
    this.waiting = true;
    const again = (): void => {
      this.waiting = false;
      this.deliver();
    };
    if (left > TURNING_MS) setTimeout(again, Math.floor(left - TURNING_MS));
    else setImmediate(again);
  }
}

function lead(client: Socket): void {
  connections += 1;
  const half = rttMs / 2;
  // SYN, SYN-ACK, ACK: the other side accepts one and a half round trips after we dial
  const accepted = performance.now() + 3 * half;
  const early: (Buffer | undefined)[] = [];
  let toServer: DelayLine | undefined;
  const send = (chunk: Buffer | undefined): void => {
    if (toServer === undefined) early.push(chunk);
    else toServer.send(chunk, performance.now() + half);
  };
  client.on("data", send).on("end", () => send(undefined));
  client.on("error", () => client.destroy());
  setTimeout(
    () => {
      const onward = connect({ port: targetPort, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
      const toClient = new DelayLine(client);
      toServer = new DelayLine(onward);
      for (const chunk of early) toServer.send(chunk, accepted);
      const receive = (chunk: Buffer | undefined): void => toClient.send(chunk, performance.now() + half);
      onward.on("data", receive).on("end", () => receive(undefined));
      onward.on("error", () => client.destroy());
      onward.on("close", () => setTimeout(() => client.destroy(), rttMs));
      client.on("close", () => onward.destroy());
    },
    Math.max(0, accepted - performance.now()),
  );
}

/** One of the ports, listening. */
async function listen(): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, lead);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

void Promise.all(Array.from({ length: portCount }, listen)).then((ports) => process.send?.(ports));
process.on("message", () => process.send?.({ bytes, connections }));
process.on("disconnect", () => process.exit());
