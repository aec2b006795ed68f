import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { docker } from "../lab/docker";
import { freePort } from "../lab/free-port";
import { type LabRegistry, startRegistry } from "../lab/registry";
import type { Site } from "./site";

/** What stands between the engine and the registry. */
export type RegistryMood =
  | { readonly kind: "well" }
  /** Connections are closed without a word. */
  | { readonly kind: "down" }
  /** Connections are taken, and nothing is answered. */
  | { readonly kind: "silent" }
  /** Every request for a manifest or layer is answered so; `times` counts down to "well". */
  | {
      readonly kind: "refuses";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      times: number;
    }
  /** Whoever does not say who it is hears 401. */
  | { readonly kind: "login"; readonly username: string; readonly password: string }
  /** Layers end in the middle; `times` counts down to "well". */
  | { readonly kind: "truncates"; times: number };

/** A real registry behind a server that can be in a bad mood. */
export class FaultyRegistry {
  /** `address:port`, as the engine of the site reaches it. */
  readonly address: string;
  mood: RegistryMood = { kind: "well" };
  private readonly real: LabRegistry;

  private constructor(address: string, real: LabRegistry) {
    this.address = address;
    this.real = real;
  }

  static async start(site: Pick<Site, "host">): Promise<FaultyRegistry> {
    const real = await startRegistry();
    const gateway = await docker(["inspect", "-f", "{{.NetworkSettings.Gateway}}", site.host.name]);
    const port = await freePort();
    const registry = new FaultyRegistry(`${gateway}:${port}`, real);
    const server = createServer((asked, answer) => registry.answer(asked, answer));
    await new Promise<void>((resolve) => server.listen(port, "0.0.0.0", resolve));
    server.unref();
    return registry;
  }

  /** The reference of an image that only the registry has. */
  async offer(site: Site, tag: string): Promise<string> {
    const reference = `${this.address}/page:${tag}`;
    await site.host.must(["docker", "tag", `page:${tag}`, reference]);
    await site.host.must(["docker", "push", "-q", reference]);
    await site.host.must(["docker", "rmi", "-f", reference, `page:${tag}`]);
    return reference;
  }

  remove(): Promise<void> {
    return this.real.remove();
  }

  private answer(asked: IncomingMessage, answer: ServerResponse): void {
    const { mood } = this;
    const isLayer = asked.method === "GET" && (asked.url ?? "").includes("/blobs/");
    const isUpload = asked.method !== "GET" && (asked.url ?? "").includes("/blobs/");
    const isContent = isLayer || isUpload || (asked.url ?? "").includes("/manifests/");
    if (mood.kind === "silent") return;
    if (mood.kind === "down") {
      asked.socket.destroy();
      return;
    }
    if (mood.kind === "refuses" && isContent && mood.times > 0) {
      mood.times -= 1;
      answer.writeHead(mood.status, { "content-type": "application/json", ...mood.headers });
      answer.end(JSON.stringify({ errors: [{ code: "DENIED", message: "not now" }] }));
      return;
    }
    if (mood.kind === "login" && asked.headers.authorization !== basicOf(mood)) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="lab"' }).end();
      return;
    }
    this.pass(asked, answer, isLayer && mood.kind === "truncates" && mood.times-- > 0);
  }

  private pass(asked: IncomingMessage, answer: ServerResponse, truncated: boolean): void {
    const [host = "", port = ""] = this.real.localAddress.split(":");
    const { method, url, headers } = asked;
    const onward = request({ host, port, method, path: url, headers }, (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers);
      if (!truncated) {
        came.pipe(answer);
        return;
      }
      came.once("data", (chunk: Buffer) => {
        answer.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => asked.socket.destroy());
      });
    });
    onward.on("error", () => asked.socket.destroy());
    asked.pipe(onward);
  }
}

function basicOf({ username, password }: Extract<RegistryMood, { kind: "login" }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
