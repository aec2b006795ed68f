import assert from "node:assert/strict";
import { edgeProxyHandler } from "../../provider/edge-proxy/handler";
import type { Properties } from "../../provider/handler";
import type { LabHost } from "../lab/lab-host";
import { handlerContext } from "./handler-context";

/** An EdgeProxy "edge" on a lab host, made by its own handler; gives its outputs. `loadHaproxy` comes before. */
export async function startEdge(
  host: LabHost,
  more: Properties & { readonly name?: string } = {},
): Promise<Properties> {
  const given: Properties & { readonly name: string } = {
    name: "edge",
    host: host.connection(),
    image: "haproxy-lab:trixie",
    __salt: "00112233445566778899aabbccddeeff",
    ...more,
  };
  const { inputs, failures } = await edgeProxyHandler.check({}, given, handlerContext(given.name));
  assert.deepEqual(failures, []);
  return (await edgeProxyHandler.create(inputs, handlerContext(given.name))).outputs;
}

/** Takes all services behind the proxies of a host away, whatever state they are in. */
export async function clearServices(host: LabHost): Promise<void> {
  const others = "docker ps -aq --filter label=slipway.service; docker ps -aq --filter name=slipway.lock";
  await host.exec(["sh", "-c", `docker rm -f $(${others}); rm -f /var/lib/slipway/proxy/*/conf/50-*.cfg`]);
}

/** Takes it away. */
export async function stopEdge(outputs: Properties): Promise<void> {
  await edgeProxyHandler.delete(String(outputs.name), outputs, handlerContext(String(outputs.name)));
}
