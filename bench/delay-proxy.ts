import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** A TCP port of this machine that leads to another one as over a long line. */
export interface DelayProxy {
  readonly port: number;
  /** What went through it since its start, both ways. */
  traffic(): Promise<Traffic>;
  stop(): void;
}

/** Bytes, and connections that were opened. */
export interface Traffic {
  readonly bytes: number;
  readonly connections: number;
}

/**
 * Half of `rttMs` each way, order and bandwidth kept; a new connection takes its round trip too. In a process of its own,
 * so that neither side waits for the other's CPU.
 */
export async function startDelayProxy(targetPort: number, rttMs: number): Promise<DelayProxy> {
  const child = fork(path.join(__dirname, "delay-proxy-process.ts"), [String(targetPort), String(rttMs)]);
  const [port] = (await once(child, "message")) as [number];
  return {
    port,
    async traffic() {
      child.send("traffic");
      const [traffic] = (await once(child, "message")) as [Traffic];
      return traffic;
    },
    stop: () => void child.kill(),
  };
}
