import type Docker from "dockerode";
import type { ObservedContainer } from "../container/observed";
import type { HostSession } from "../host/session";
import type { HealthTest, ProbeResult } from "./policy";
import { probeCommand } from "./probe-command";
import { probeHttp } from "./probe-http";
import type { ProbeOptions } from "./probe-options";
import { probeTcp } from "./probe-tcp";

/**
 * Asks a running container once. http and tcp go over a forwarded connection to the container's own address; where the
 * server forbids forwarding, by bash, curl or wget on the host. Commands are run inside by the Engine API.
 * @throws SlipwayError `connection-lost` and the like: a line that drops says nothing about the container
 */
export async function probe(
  session: HostSession,
  docker: Docker,
  container: ObservedContainer,
  test: HealthTest,
  options: ProbeOptions,
): Promise<ProbeResult> {
  options.signal.throwIfAborted();
  if (test.kind === "command") return probeCommand(docker, container.id, test.argv, options);
  const address = addressOf(container);
  if (address === undefined) return { verdict: "cannot", reason: unreachable(container) };
  return test.kind === "http"
    ? probeHttp(session, address, test, options)
    : probeTcp(session, address, test.port, options);
}

function addressOf(container: ObservedContainer): string | undefined {
  return container.networkMode === "host" ? "127.0.0.1" : container.address;
}

function unreachable(container: ObservedContainer): string {
  return container.networkMode === "none"
    ? "it has no network; give it a command check"
    : `it has no address of its own (network ${container.networkMode})`;
}
