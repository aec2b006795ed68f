import { rmSync } from "node:fs";
import { busyboxPath } from "../lab/busybox";
import { type LabHost, type LabUser, type Suite, startLabHost } from "../lab/lab-host";
import { appContext } from "./app-context";
import type { DemoHost } from "./demo-host";

/** The version of Docker that each Debian carries. */
export const DOCKER_VERSION: Readonly<Record<Suite, string>> = { bookworm: "20.10.24", trixie: "26.1.5" };

/** A fresh lab host as the demo's stage. */
export async function labDemoHost(
  suite: Suite,
  user: LabUser,
): Promise<DemoHost & { readonly lab: LabHost }> {
  const context = appContext(await busyboxPath());
  const lab = await startLabHost({ suite });
  return {
    lab,
    label: `a bare lab host (${suite}), as ${user}`,
    dockerVersion: DOCKER_VERSION[suite],
    url: lab.url(80),
    config: {
      host: lab.address,
      port: String(lab.sshPort),
      user,
      hostKey: lab.hostKeyFingerprint,
      privateKeyPath: lab.privateKeyPath,
      dockerVersion: DOCKER_VERSION[suite],
      source: "distro",
      context,
    },
    async look(script) {
      const { code, stdout, stderr } = await lab.exec(["sh", "-c", script]);
      return { code, out: stdout + stderr };
    },
    async dispose() {
      await lab.remove();
      rmSync(context, { recursive: true, force: true });
    },
  };
}
