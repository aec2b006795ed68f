import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Properties } from "../../provider/handler";

const PROGRAM = join(__dirname, "docker-program.ts");

/** What a stack is to make of a host. */
export interface StackOrder {
  readonly inputs: Properties;
  /** The outputs of the run before. */
  readonly olds?: Properties;
  /** It deletes the host of `olds` instead. */
  readonly destroys?: boolean;
  /** Who it is, to those who wait for it. */
  readonly holder: string;
}

/** Another stack at work, in a process of its own. */
export interface DockerStack {
  /** Waits for a line that has this text; fails when it ended without one. */
  said(text: string): Promise<string>;
  /** All that it said, and its exit code; undefined when it was killed. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** With SIGKILL. */
  kill(): void;
}

/** Starts it. */
export function startDockerStack(order: StackOrder): DockerStack {
  const child = spawn(process.execPath, ["--import=tsx", PROGRAM, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const heard = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    for (const look of heard) look();
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  const said = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const line = output.split("\n").find((each) => each.includes(text));
        if (line === undefined) return;
        heard.delete(look);
        resolve(line);
      };
      heard.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without saying "${text}":\n${output}`)));
    });
  return { said, ended, kill: () => void child.kill("SIGKILL") };
}
