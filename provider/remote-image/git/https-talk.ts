import { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { request } from "node:https";
import { SlipwayError, messageOf } from "../../errors";
import { readAdvertisement } from "./advertisement";
import { authorization, originOf } from "./git-auth";
import { refused, unreachable } from "./git-error";
import { type HttpsRemote, remoteText } from "./git-remote";
import type { GitAccess, GitTalk } from "./git-talk";
import { NO_GIT, PacketError, PacketReader } from "./pkt-line";

const SERVICE = "/info/refs?service=git-upload-pack";
const MOST_REDIRECTS = 5;
/** So long a server may take to be connected to, and so long to be silent afterwards. */
const CONNECT_MS = 10_000;
const SILENT_MS = 60_000;

/** Talks git's "smart" HTTP: one request for the refs, one for the objects. */
export async function withHttps<T>(
  remote: HttpsRemote,
  access: GitAccess,
  use: (talk: GitTalk) => Promise<T>,
): Promise<T> {
  const call: Call = { remote, access, repository: remoteText(remote) };
  const { answer, base } = await askRefs(call);
  const reader = new PacketReader(bodyOf(call, answer));
  const first = await reader.next();
  // its own line and a flush go before the refs
  if (first?.kind !== "data" || !first.data.toString().startsWith("# service=git-upload-pack")) {
    throw new PacketError(NO_GIT);
  }
  await reader.next();
  const advertisement = await readAdvertisement(reader);
  await reader.stop();
  return use({
    advertisement,
    async ask(body) {
      const headers = {
        "Content-Type": "application/x-git-upload-pack-request",
        "Content-Length": body.length,
        Accept: "application/x-git-upload-pack-result",
      };
      const result = await send(call, `${base}/git-upload-pack`, "POST", headers, body);
      if (result.statusCode !== 200) throw refusal(call, result);
      return new PacketReader(bodyOf(call, result));
    },
  });
}

interface Call {
  readonly remote: HttpsRemote;
  readonly access: GitAccess;
  readonly repository: string;
}

/** Follows a repository that has moved; `base` is where it is. */
async function askRefs(call: Call): Promise<{ readonly answer: IncomingMessage; readonly base: string }> {
  let base = originOf(call.remote) + call.remote.path;
  for (let n = 0; n <= MOST_REDIRECTS; n++) {
    const headers = { Accept: "application/x-git-upload-pack-advertisement, */*" };
    const answer = await send(call, base + SERVICE, "GET", headers);
    const { statusCode = 0 } = answer;
    if (statusCode === 200) return { answer, base };
    if (![301, 302, 303, 307, 308].includes(statusCode)) throw refusal(call, answer);
    answer.resume();
    const next = locationOf(answer, base + SERVICE);
    if (
      next?.protocol !== "https:" ||
      next.username !== "" ||
      next.password !== "" ||
      !next.href.endsWith(SERVICE)
    ) {
      throw refused(
        call.repository,
        "the server sends to another place that is no repository's: a login page?",
      );
    }
    base = next.href.slice(0, -SERVICE.length);
  }
  throw refused(call.repository, "the server sends from one place to the next, and to no repository");
}

function locationOf({ headers }: IncomingMessage, from: string): URL | undefined {
  const { location = "" } = headers;
  return URL.canParse(location, from) ? new URL(location, from) : undefined;
}

function send(
  { remote, access, repository }: Call,
  url: string,
  method: "GET" | "POST",
  headers: OutgoingHttpHeaders,
  body?: Buffer,
): Promise<IncomingMessage> {
  const isOwn = new URL(url).origin === new URL(originOf(remote)).origin;
  const login = isOwn ? authorization(access.auth) : undefined;
  const all = {
    ...headers,
    "User-Agent": "git/2.0 (slipway)", // some servers send a web page to whoever is not called git
    ...(login === undefined ? {} : { Authorization: login }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: all, signal: access.signal }, resolve);
    const giveUp = (): void => void sent.destroy(new Error("it does not answer"));
    // the request's own `setTimeout` only counts from the connection on
    const late = setTimeout(giveUp, CONNECT_MS);
    sent.on("close", () => clearTimeout(late));
    sent.on("socket", (socket) => {
      const connected = (): void => {
        clearTimeout(late);
        sent.setTimeout(SILENT_MS, giveUp);
      };
      if (socket.connecting) socket.once("secureConnect", connected);
      else connected();
    });
    sent.on("error", (error) => reject(failure(access, repository, error)));
    sent.end(body);
  });
}

/** The bytes of an answer; one that breaks off is told apart from one that ends. */
async function* bodyOf({ access, repository }: Call, answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const piece of answer) yield piece as Buffer;
  } catch (error) {
    throw failure(access, repository, error);
  } finally {
    answer.destroy();
  }
}

function failure({ signal, redact }: GitAccess, repository: string, error: unknown): Error {
  if (signal.aborted) return signal.reason as Error;
  if (error instanceof SlipwayError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = redact(messageOf(error)) || code || "it does not answer";
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return refused(
      repository,
      `its certificate is not trusted (${why})`,
      "For an authority of your own, set NODE_EXTRA_CA_CERTS to its file",
    );
  }
  return unreachable(repository, why, error);
}

function refusal({ access, repository }: Call, answer: IncomingMessage): SlipwayError {
  answer.resume();
  const { statusCode = 0 } = answer;
  const hasToken = access.auth?.token !== undefined;
  const status = `the server answers ${statusCode}`;
  switch (statusCode) {
    case 203: // Azure DevOps: its login page in the place of the answer
    case 401:
      return hasToken
        ? refused(
            repository,
            `${status}: it does not take the token`,
            "Look at gitAuth.token, and whether the server wants a username with it",
          )
        : refused(repository, `${status}: it is private, or not there`, "Give gitAuth: { token }");
    case 403:
      return refused(
        repository,
        `${status}: ${hasToken ? "the token may not read it" : "nobody may read it without a token"}`,
      );
    case 404:
    case 410:
      return refused(
        repository,
        `${status}: it is not there${hasToken ? ", or the token may not see it" : ", or private"}`,
      );
    default:
      return statusCode === 429 || statusCode >= 500
        ? unreachable(repository, status)
        : refused(repository, status);
  }
}
