import assert from "node:assert/strict";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { type HaproxySuite, loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { askFor } from "./edge-route";
import { handlerContext } from "./handler-context";
import { clear } from "./switch-host";
import { startDockerHost } from "./web-host";

/** A lab host with a proxy called `edge`, driven by its handler. */
export class EdgeSite {
  readonly host: LabHost;
  /** What the last operation gave to the state. */
  outputs: Properties = {};
  /** What a person was told. */
  readonly said: string[] = [];

  constructor(host: LabHost) {
    this.host = host;
  }

  context(more: Partial<HandlerContext> = {}): HandlerContext {
    const say = (text: string): void => void this.said.push(text);
    return { ...handlerContext(), name: "edge", log: { ...silentLog, keep: say, warn: say }, ...more };
  }

  inputs(more: Properties = {}): Properties {
    const host = this.host.connection("deploy");
    return { name: "edge", host, image: "haproxy-lab:trixie", tcpPorts: [8081], ...more };
  }

  async checked(given: Properties): Promise<Properties> {
    const { inputs, failures } = await handler.check({}, given, this.context());
    assert.deepEqual(failures, []);
    return inputs;
  }

  async create(given: Properties): Promise<void> {
    ({ outputs: this.outputs } = await handler.create(await this.checked(given), this.context()));
  }

  async update(given: Properties, context = this.context()): Promise<void> {
    this.outputs = await handler.update("edge", this.outputs, await this.checked(given), context);
  }

  async refresh(): Promise<void> {
    const read = await handler.read("edge", this.outputs, this.context());
    assert.ok(read);
    this.outputs = read.outputs;
  }

  /** Status and body of a page on port 80, asked for under a host name. */
  body(path: string, name: string): Promise<string> {
    return askFor(`${this.host.url()}${path}`, name);
  }

  containerId(): Promise<string> {
    return this.host.must(["docker", "inspect", "-f", "{{.Id}}", "edge"]);
  }

  /** Takes the proxy and all containers away, whatever state they are in. */
  async clear(): Promise<void> {
    await clear(this.host);
    await this.host.exec(["sh", "-c", "rm -rf /var/lib/slipway /run/slipway; docker network rm slipway"]);
    this.outputs = {};
  }

  async remove(): Promise<void> {
    closeConnections();
    await this.host.remove();
  }
}

/** Starts the host, with HAProxy of these suites on it. */
export async function startEdgeSite(suites: readonly HaproxySuite[]): Promise<EdgeSite> {
  const site = new EdgeSite(await startDockerHost("bookworm"));
  for (const suite of suites) await loadHaproxy(site.host, suite);
  return site;
}
