import type Docker from "dockerode";
import { BlockList, isIP } from "node:net";
import type { HostSession } from "../host/session";
import { orAborted } from "../or-aborted";
import { isObject } from "../values";
import { registryOf, repositoryAndTag } from "./pull";
import { type HostAnswer, type HostRequest, requestFromHost } from "./registry-request";
import type { RegistryLogin } from "./registry-login";

/** What a registry is asked for. */
export type RegistryUse = "pull" | "push";

/** How a registry answers. */
export interface RegistryAnswer {
  readonly status: number;
  /** By its Retry-After; undefined where it has none. */
  readonly retryAfterMs: number | undefined;
}

/** What asking needs of a host. */
export interface AskAccess {
  readonly session: HostSession;
  readonly docker: Docker;
  readonly signal: AbortSignal;
  /** The calendar's milliseconds. */
  readonly wall: () => number;
}

/** What a reference leads to. */
interface Place {
  readonly root: URL;
  readonly repository: string;
  readonly tag: string;
}

const LIMIT_MS = 10_000;
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/**
 * Asks the registry of a reference what it says, from the host, as its engine would: the engine tells it in words only.
 * Undefined where no answer can be had: it is down, or not to be reached this way. A login goes over TLS only, or to whom the
 * engine itself speaks without.
 */
export async function askRegistry(
  { session, docker, signal, wall }: AskAccess,
  reference: string,
  use: RegistryUse,
  login: RegistryLogin | undefined,
): Promise<RegistryAnswer | undefined> {
  const address = registryOf(reference);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  try {
    const isTrusted = !isInsecure(await orAborted(docker.info(), limited), address);
    const ask = (scheme: string): Promise<HostAnswer> => {
      const send = (asked: Pick<HostRequest, "url" | "method" | "headers">): Promise<HostAnswer> =>
        requestFromHost(session, { ...asked, verified: isTrusted, signal: limited });
      return askAt(placeOf(scheme, address, reference), use, login, send);
    };
    const answer = await ask("https").catch((error: unknown) => {
      if (isTrusted) throw error;
      return ask("http");
    });
    return { status: answer.status, retryAfterMs: retryAfterMs(answer.headers["retry-after"], wall()) };
  } catch {
    signal.throwIfAborted();
    return undefined; // whatever stands in the way: there is no answer, and the engine's own words are shown
  }
}

/** Milliseconds from now of a Retry-After: seconds, or a date. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** What a registry that wants a login says of it: `Bearer realm="…",service="…"`. */
export function parseChallenge(value: string): {
  readonly scheme: string;
  readonly words: Readonly<Record<string, string>>;
} {
  const [, scheme = "", rest = ""] = /^\s*([A-Za-z]+)\s*(.*)$/.exec(value) ?? [];
  const words = [...rest.matchAll(/([a-z_]+)="([^"]*)"/gi)].map(([, key = "", word = ""]) => [
    key.toLowerCase(),
    word,
  ]);
  return { scheme: scheme.toLowerCase(), words: Object.fromEntries(words) as Record<string, string> };
}

type Send = (asked: Pick<HostRequest, "url" | "method" | "headers">) => Promise<HostAnswer>;

async function askAt(
  { root, repository, tag }: Place,
  use: RegistryUse,
  login: RegistryLogin | undefined,
  send: Send,
): Promise<HostAnswer> {
  const uploads = { url: new URL(`${repository}/blobs/uploads/`, root), method: "POST" as const };
  const manifest = { url: new URL(`${repository}/manifests/${tag}`, root), method: "HEAD" as const };
  const what = use === "push" ? uploads : manifest;
  const headers = use === "push" ? { "content-length": "0" } : { accept: MANIFESTS };
  let authorization: Readonly<Record<string, string>> = {};
  let answer = await send({ ...what, headers });
  const challenge = answer.headers["www-authenticate"];
  if (answer.status === 401 && challenge !== undefined) {
    const scope = `repository:${repository}:${use === "push" ? "pull,push" : "pull"}`;
    const granted = await authorize(challenge, scope, root, login, send);
    if (typeof granted !== "string") return granted;
    authorization = { authorization: granted };
    answer = await send({ ...what, headers: { ...headers, ...authorization } });
  }
  const begun = answer.headers.location;
  if (use === "push" && answer.status === 202 && begun !== undefined) {
    // nothing is to come: the registry need not wait for it
    await send({ url: new URL(begun, root), method: "DELETE", headers: authorization }).catch(() => {});
  }
  return answer;
}

/** A header's value, or the answer of who would not give one. */
async function authorize(
  challenge: string,
  scope: string,
  root: URL,
  login: RegistryLogin | undefined,
  send: Send,
): Promise<string | HostAnswer> {
  const { scheme, words } = parseChallenge(challenge);
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  if (scheme !== "bearer") return basic ?? { status: 401, headers: {}, body: "" };
  const realm = new URL(words.realm ?? "", root);
  if (realm.protocol !== "https:" && realm.protocol !== root.protocol) throw new Error("a realm without TLS");
  realm.searchParams.set("scope", scope);
  if (words.service !== undefined) realm.searchParams.set("service", words.service);
  const answer = await send({
    url: realm,
    method: "GET",
    headers: basic === undefined ? {} : { authorization: basic },
  });
  if (answer.status !== 200) return answer;
  const given = JSON.parse(answer.body) as unknown;
  const token = isObject(given) ? (given.token ?? given.access_token) : undefined;
  if (typeof token !== "string") throw new Error("no token");
  return `Bearer ${token}`;
}

function placeOf(scheme: string, address: string, reference: string): Place {
  const { fromImage, tag } = repositoryAndTag(reference);
  const isHub = address === "docker.io";
  const path = fromImage.startsWith(`${address}/`) ? fromImage.slice(address.length + 1) : fromImage;
  const repository = isHub && !path.includes("/") ? `library/${path}` : path;
  return { root: new URL(`${scheme}://${isHub ? "registry-1.docker.io" : address}/v2/`), repository, tag };
}

/** Whether the engine speaks to this registry without looking at a certificate, or without TLS. */
function isInsecure(engine: unknown, address: string): boolean {
  const config = isObject(engine) && isObject(engine.RegistryConfig) ? engine.RegistryConfig : {};
  const index = isObject(config.IndexConfigs) ? config.IndexConfigs[address] : undefined;
  if (isObject(index)) return index.Secure === false;
  const host = address.replace(/:\d+$/, "");
  const family = isIP(host);
  if (host === "localhost") return true;
  if (family === 0) return false;
  const nets = new BlockList();
  for (const cidr of Array.isArray(config.InsecureRegistryCIDRs) ? config.InsecureRegistryCIDRs : []) {
    const [net = "", bits = ""] = String(cidr).split("/");
    const kind = isIP(net);
    if (kind !== 0) nets.addSubnet(net, Number(bits), kind === 4 ? "ipv4" : "ipv6");
  }
  return nets.check(host, family === 4 ? "ipv4" : "ipv6");
}
