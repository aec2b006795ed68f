import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { askDocker } from "./docker";

const LIMIT_MS = 60_000;
const POLL_MS = 40;

/** Waits until the host has come up: systemd, where it has it, has started everything, and sshd greets on the published port. */
export async function waitUntilUp(container: string, sshPort: number, hasSystemd: boolean): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  let last = "";
  while (Date.now() < deadline) {
    const asked = hasSystemd ? ["systemctl", "is-system-running", "--wait"] : ["echo", "running"];
    const system = await askDocker(["exec", container, ...asked]);
    last = `it is ${system.stdout.trim()} ${system.stderr.trim()}`;
    if (/is not running|No such container/.test(system.stderr)) break;
    if (/^(running|degraded)$/m.test(system.stdout)) {
      if (await greets(sshPort)) return;
      last = `sshd does not greet on 127.0.0.1:${sshPort}`;
    }
    await pause(POLL_MS);
  }
  const logs = await askDocker(["logs", "--tail", "20", container]);
  throw new Error(
    `lab host ${container} did not come up within ${LIMIT_MS / 1000} s: ${last}\n${logs.stdout}${logs.stderr}`,
  );
}

/** Docker's own proxy accepts before anybody listens in the container: only a banner proves sshd. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const finish = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(5_000, () => finish(false));
    socket.once("data", (chunk) => finish(chunk.toString().startsWith("SSH-")));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
  });
}
