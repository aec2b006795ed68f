import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { askFor, EdgeRoute, startBackend } from "../support/edge-route";
import { startEdge } from "../support/edge-service";
import { handlerContext } from "../support/handler-context";

/** The proxy's name, and its container's. */
export const EDGE = "edge";
const NEIGHBOUR = "next-door";
const NEIGHBOURS_NAME = "next-door.example.com";
const UP_MS = 90_000;

/** The EdgeProxy of a site, with the state that Pulumi would have of it, and the route of a neighbour. */
export class Edge {
  private readonly host: LabHost;
  private state: Properties;

  private constructor(host: LabHost, state: Properties) {
    this.host = host;
    this.state = state;
  }

  static async start(host: LabHost): Promise<Edge> {
    await loadHaproxy(host, "trixie");
    const edge = new Edge(host, await startEdge(host, { name: EDGE }));
    const backend = await startBackend(host, NEIGHBOUR, "page:v1");
    const route = new EdgeRoute(host, NEIGHBOUR);
    await route.write(route.entry(backend, { hosts: [NEIGHBOURS_NAME] }));
    closeConnections();
    return edge;
  }

  /** What a service says to be behind it. */
  route(service: string): Properties {
    return { proxy: this.state.ref, hosts: [`${service}.example.com`], port: 3000, drainTimeout: "10s" };
  }

  /** What `pulumi up --refresh` does with it. */
  async up(): Promise<void> {
    const now = await this.refreshed();
    const { ref } = this.state;
    const { inputs } = await handler.check(now, { ...this.state, ref }, handlerContext(EDGE));
    this.state = await handler.update(EDGE, now, inputs, handlerContext(EDGE));
    closeConnections();
  }

  /** Why it is not as it was, its neighbour's route included. */
  async disturbed(): Promise<string | undefined> {
    const page = (): Promise<string> => askFor(this.host.url(), NEIGHBOURS_NAME).catch(String);
    const serves = async (): Promise<boolean> => (await page()) === "200 v1";
    await until("the neighbour's route to lead to it", serves, UP_MS);
    const { containerId, drift } = await this.refreshed();
    closeConnections();
    if (Array.isArray(drift) && drift.length > 0) return `of the proxy, ${drift.join("; ")}`;
    return containerId === this.state.containerId ? undefined : "the proxy's container is another one";
  }

  /** Kills its process on the host, which is no stop by hand; returns when the engine has started it again. */
  async crash(): Promise<void> {
    const inspect = (what: string) => this.host.must(["docker", "inspect", "-f", `{{.State.${what}}}`, EDGE]);
    const before = await inspect("StartedAt");
    await this.host.must(["kill", "-KILL", await inspect("Pid")]);
    await until("the engine to start it again", async () => (await inspect("StartedAt")) !== before);
  }

  async kill(): Promise<void> {
    await this.host.must(["docker", "kill", EDGE]);
  }

  async remove(): Promise<void> {
    await this.host.must(["docker", "rm", "-f", EDGE]);
  }

  async pause(): Promise<void> {
    await this.host.must(["docker", "pause", EDGE]);
  }

  async resume(afterSeconds: number): Promise<void> {
    await this.host.must([
      "sh",
      "-c",
      'sleep "$1"; docker unpause "$2"',
      "resume",
      String(afterSeconds),
      EDGE,
    ]);
  }

  private async refreshed(): Promise<Properties> {
    return (await handler.read(EDGE, this.state, handlerContext(EDGE)))?.outputs ?? this.state;
  }
}
