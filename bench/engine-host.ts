import { startDockerHost } from "../test/support/web-host";
import type { LabHost } from "../test/lab/lab-host";
import type { Target } from "./contender";

/** How many containers stand on the machine, created and never started. */
export const IDLE_CONTAINERS = 200;
/** How many run, to be stopped at once. */
export const RUNNING_CONTAINERS = 40;

const IMAGE = `tar -C /root/page -c busybox | docker import \
  -c 'ENTRYPOINT ["/busybox", "sleep", "1000000"]' - tiny`;
const CREATE = `seq 1 ${IDLE_CONTAINERS} | xargs -P 4 -I{} docker create --network none --name idle-{} tiny`;
const START = `seq 1 ${RUNNING_CONTAINERS} | xargs -P 4 -I{} docker run -d --stop-signal KILL --network none --name busy-{} tiny`;

/** A lab host with Debian's Docker, an image and no container, and sshd as Debian ships it. */
export async function startEngineHost(): Promise<LabHost> {
  const host = await startDockerHost("bookworm");
  try {
    await host.must(["sh", "-ec", `{ ${IMAGE}; } >/dev/null`]);
    return host;
  } catch (error) {
    await host.remove();
    throw error;
  }
}

/** Creates the containers that are to be listed. They come late: the engine looks at each of them in every listing. */
export async function createIdle(host: LabHost): Promise<void> {
  await host.must(["sh", "-ec", `{ ${CREATE}; } >/dev/null`]);
}

/** Starts the containers that are to be stopped, and returns their names. */
export async function startRunning(host: LabHost): Promise<readonly string[]> {
  await host.must(["sh", "-ec", `{ ${START}; } >/dev/null`]);
  return Array.from({ length: RUNNING_CONTAINERS }, (_, at) => `busy-${at + 1}`);
}

/** Starts again what was stopped. */
export async function restartRunning(host: LabHost, names: readonly string[]): Promise<void> {
  await host.must(["docker", "start", ...names]);
}

/** The machine through a port of this one. */
export function targetOf(host: LabHost, port: number): Target {
  const { privateKey = "" } = host.connection();
  const { privateKeyPath, hostKeyLine, hostKeyFingerprint: hostKey } = host;
  return { host: host.address, port, user: "root", privateKey, privateKeyPath, hostKey, hostKeyLine };
}
