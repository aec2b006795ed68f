import { loadHaproxy } from "../test/lab/haproxy";
import type { LabHost } from "../test/lab/lab-host";
import { startDockerHost } from "../test/support/web-host";
import { buildShop, CLIENT_IMAGE } from "./rollout-app";

/** The networks of the service and of strangers. */
export const [OWN_NETWORK, OTHER_NETWORK] = ["shop", "other"];

/** A lab host with Debian 13's Docker, compose, the versions of the service and HAProxy. */
export async function startRolloutHost(): Promise<LabHost> {
  const host = await startDockerHost("trixie");
  try {
    const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker-compose"];
    await host.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install]);
    await buildShop(host);
    await loadHaproxy(host, "trixie");
    await host.must(["docker", "network", "create", OTHER_NETWORK]);
    return host;
  } catch (error) {
    await host.remove();
    throw error;
  }
}

/** Removes what a part left, so that the next one begins on the same machine as the first; images and networks stay. */
export async function clearHost(host: LabHost): Promise<void> {
  await host.exec(["sh", "-c", "docker rm -f $(docker ps -aq)"]);
  await host.exec(["sh", "-c", "docker rmi $(docker images -q --filter reference='slipway/kept:*')"]);
}

/** What was measured there. */
export async function versionsOf(host: LabHost): Promise<Readonly<Record<string, string>>> {
  return {
    engine: await host.must(["docker", "version", "--format", "{{.Server.Version}}"]),
    compose: await host.must(["docker", "compose", "version", "--short"]),
    haproxy:
      (await host.must(["docker", "run", "--rm", "haproxy-lab:trixie", "haproxy", "-v"])).split(" ")[2] ?? "",
    app: `node ${await host.must(["docker", "run", "--rm", CLIENT_IMAGE, "/node", "--version"])}`,
  };
}
