import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** TCP ports of this machine that lead to another one as over a long line. */
export interface DelayProxy {
  /** The first of them. */
  readonly port: number;
  readonly ports: readonly number[];
  /** What went through them since its start, both ways. */
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
 * so that neither side waits for the other's CPU. `portCount`: who dials another port gets a connection of his own.
 */
export async function startDelayProxy(targetPort: number, rttMs: number, portCount = 1): Promise<DelayProxy> {
  const args = [targetPort, rttMs, portCount].map(String);
  const child = fork(path.join(__dirname, "delay-proxy-process.ts"), args);
  const [ports] = (await once(child, "message")) as [readonly [number, ...number[]]];
  return {
    port: ports[0],
    ports,
    async traffic() {
      child.send("traffic");
      const [traffic] = (await once(child, "message")) as [Traffic];
      return traffic;
    },
    stop: () => void child.kill(),
  };
}
