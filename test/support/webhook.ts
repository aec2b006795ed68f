import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { docker } from "../lab/docker";
import type { LabHost } from "../lab/lab-host";
import { newCertificate } from "./shown-certificate";

/** A request that came to a webhook. */
export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers a request, or never does. */
export type WebhookAnswer = (response: ServerResponse) => void;

/** As Slack's incoming webhooks take a message. */
export const TAKEN: WebhookAnswer = (response) =>
  void response.writeHead(200, { "content-type": "text/html" }).end("ok");

/** A server of this machine which a lab host reaches, and which notes what is posted. */
export class Webhook {
  readonly posted: Posted[] = [];
  answer: WebhookAnswer = TAKEN;
  readonly url: string;
  readonly close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.close = close;
  }

  /** With `https` it has a certificate that nobody vouches for. */
  static async start(host: LabHost, scheme: "http" | "https" = "http"): Promise<Webhook> {
    const address = await docker(["inspect", "-f", "{{.NetworkSettings.Gateway}}", host.name]);
    const { certificate: cert, key } = newCertificate(address);
    const listener: RequestListener = (request, response) => void webhook.take(request, response);
    const server = scheme === "http" ? createServer(listener) : createTlsServer({ cert, key }, listener);
    server.listen(0, address);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const webhook = new Webhook(`${scheme}://${address}:${port}/services/canary-hook`, () => {
      server.close();
      server.closeAllConnections();
    });
    return webhook;
  }

  /** The texts of the messages that came. */
  texts(): readonly string[] {
    return this.posted.map(({ body }) => (JSON.parse(body) as { readonly text: string }).text);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.posted.push({ method, path: url, headers, body: await text(request) });
    this.answer(response);
  }
}
