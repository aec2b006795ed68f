import { messageOf } from "../errors";
import type { Log } from "../log";
import { stripControl } from "../secret";
import { KEEP_SCRIPT } from "./acme-script";
import { MARK } from "./ask-script";
import { nameOfCertificate } from "./certificates";
import { type ProxyHost, runOnProxy } from "./change";

/** A name that the ACME server gave no certificate for, as yet. */
export interface CertificateLeft {
  readonly name: string;
  /** HAProxy still tries. */
  readonly running: boolean;
  /** HAProxy's last words on it, with what the ACME server said; untrusted text. Empty when there are none. */
  readonly words: string;
}

const WAIT_SECONDS = 50;
/** The wait for another order, the order itself, two saves. */
const ORDER_MS = 240_000;
const MAX_WORDS = 400;

/**
 * Asks the ACME server for the certificates of names that have none, waits for them and saves them on the host. A name that
 * gets none is a warning and no error: its route goes on with a self-signed one. Gives the names that are left. Throws only when
 * it is stopped.
 */
export async function orderCertificates(
  host: ProxyHost & { readonly log: Log },
  proxy: string,
  names: readonly string[],
): Promise<readonly CertificateLeft[]> {
  if (names.length === 0) return [];
  const { session, log } = host;
  log.progress(`getting certificates for ${names.join(", ")}`);
  const args = [String(WAIT_SECONDS), ...names];
  const options = { timeoutMs: ORDER_MS };
  let shown: string;
  try {
    shown = await runOnProxy(host, proxy, "getting certificates of", KEEP_SCRIPT, args, options);
  } catch (error) {
    host.signal.throwIfAborted();
    log.warn(`${messageOf(error)} The host itself goes on with it.`);
    return names.map((name) => ({ name, running: true, words: "" }));
  }
  const left = parseOrder(shown).filter(({ name }) => names.includes(name));
  const got = names.filter((name) => !left.some((each) => each.name === name));
  if (got.length > 0) log.keep(`${session.target}: got certificates for ${got.join(", ")}`);
  for (const each of left) log.warn(`${session.target}: ${formatLeft(each, session.redact)}`);
  return left;
}

/** What the program on the host shows at its end. */
export function parseOrder(text: string): readonly CertificateLeft[] {
  const sections = new Map(
    text
      .split(new RegExp(`^${MARK}`, "m"))
      .slice(1)
      .map((part) => [part.split("\n", 1)[0] ?? "", part.split("\n").slice(1)] as const),
  );
  const words = new Map<string, string>();
  for (const line of sections.get("log") ?? []) {
    const match = /^acme: \/slipway\/(certs\/60-\S+\.pem): (.*)$/.exec(line);
    const name = nameOfCertificate(match?.[1] ?? "");
    if (name !== undefined && match?.[2]?.startsWith("Starting") === false) words.set(name, match[2]);
  }
  const running = (sections.get("status") ?? [])
    .map((line) => line.split("\t"))
    .filter(([, , state]) => state === "Running")
    .map(([path = ""]) => nameOfCertificate(path.replace(/^\/slipway\//, "")));
  const names = (sections.get("placeholders") ?? []).map(nameOfCertificate);
  return names.flatMap((name) =>
    name === undefined ? [] : [{ name, running: running.includes(name), words: words.get(name) ?? "" }],
  );
}

/** The warning for a name. */
export function formatLeft(
  { name, running, words }: CertificateLeft,
  redact: (text: string) => string,
): string {
  const said = redact(stripControl(words))
    .replace(/\s*Aborting\.\s*$/, "")
    .trim()
    .slice(0, MAX_WORDS);
  const why = said === "" ? "the ACME server has not answered" : said;
  const next = running ? "It is still being tried" : "The host tries again every half hour";
  return `no certificate for ${name} yet: ${why}. Until there is one, the one from before or a self-signed one is shown. Port 80 of that name has to lead to this proxy. ${next}`;
}
