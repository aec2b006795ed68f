import { type IncomingHttpHeaders, request } from "node:http";
import type { Duplex } from "node:stream";
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { HostSession } from "../host/session";
import { orAborted } from "../or-aborted";

/** One request over a connection of its own, from the host. */
export interface HostRequest {
  readonly url: URL;
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  /** False: a certificate that nobody vouches for will do. */
  readonly verified: boolean;
  readonly signal: AbortSignal;
}

/** What came back; of the body the beginning. */
export interface HostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const LONGEST_BODY = 65_536;

/**
 * Asks a web server as the host reaches it, by a forwarded stream; redirects are not followed.
 * @throws whatever stands in the way: a closed port, a server that does not forward, a certificate
 */
export async function requestFromHost(session: HostSession, asked: HostRequest): Promise<HostAnswer> {
  const { url, signal } = asked;
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const plain = await session.forward(name, port, signal);
  try {
    const stream = isTls ? await secured(plain, name, asked) : plain;
    return await orAborted(exchange(stream, asked), signal);
  } finally {
    plain.on("error", () => {}); // what a stream says after it was dropped is of no interest
    plain.destroy();
  }
}

function secured(plain: Duplex, name: string, { verified, signal }: HostRequest): Promise<Duplex> {
  const named = isIP(name) === 0 ? { servername: name } : { host: name };
  const stream = connect({ socket: plain, ...named, rejectUnauthorized: verified });
  const opening = new Promise<Duplex>((resolve, reject) => {
    stream.once("secureConnect", () => resolve(stream));
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("closed before it was secure")));
  });
  return orAborted(opening, signal);
}

function exchange(stream: Duplex, { url, method, headers }: HostRequest): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        createConnection: () => stream,
        method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, "user-agent": "slipway", connection: "close", ...headers },
      },
      (answer) => {
        let body = "";
        const end = (): void => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > LONGEST_BODY) end();
        });
        answer.on("end", end);
        answer.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}
