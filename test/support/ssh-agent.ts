import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export type TestAgent = Awaited<ReturnType<typeof startAgent>>;

/** A real ssh-agent with a socket of its own in `folder`; `stop` ends this process and no other. */
export async function startAgent(folder: string, keyFiles: readonly string[] = []) {
  const socketPath = join(folder, "agent");
  const child = spawn("ssh-agent", ["-D", "-a", socketPath], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data"); // it listens before it says where
  const ask = (args: readonly string[]) =>
    promisify(execFile)("ssh-add", [...args], { env: { ...process.env, SSH_AUTH_SOCK: socketPath } });
  if (keyFiles.length > 0) await ask(["-q", ...keyFiles]);
  return {
    socketPath,
    async stop(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, "exit");
      if (existsSync(socketPath)) throw new Error("the agent left its socket");
    },
  };
}
