import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import { edgeProxyHandler } from "../../provider/edge-proxy/handler";
import type { HandlerContext, Properties } from "../../provider/handler";
import { silentLog } from "../../provider/log";
import type { LabHost } from "../lab/lab-host";

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
  const { inputs, failures } = await edgeProxyHandler.check({}, given, context(given.name));
  assert.deepEqual(failures, []);
  return (await edgeProxyHandler.create(inputs, context(given.name))).outputs;
}

/** Takes it away. */
export async function stopEdge(outputs: Properties): Promise<void> {
  await edgeProxyHandler.delete(String(outputs.name), outputs, context(String(outputs.name)));
}

function context(name: string): HandlerContext {
  return {
    urn: "",
    name,
    log: silentLog,
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "test, somebody@here",
    stack: "test/test",
  };
}
