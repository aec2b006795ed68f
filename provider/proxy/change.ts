import { pack } from "tar-stream";
import { portHex } from "../container/port-hex";
import { SlipwayError } from "../errors";
import { LOOK_AT_DAEMON } from "../host/daemon-log";
import type { CommandOptions, CommandOutcome, HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import { MARK } from "./ask-script";
import {
  ANSWER_SCRIPT,
  APPLY_SCRIPT,
  EXIT,
  LOCK_SECONDS,
  REMOVE_SCRIPT,
  SHOW_SCRIPT,
  SWITCH_SCRIPT,
} from "./host-script";
import { type ObservedProxy, parseShown } from "./observed";
import { folderOf } from "./ref";

/** The machine of a proxy, for one call. */
export interface ProxyHost {
  readonly session: HostSession;
  readonly signal: AbortSignal;
}

/** A change of files. Paths are in the proxy's folder: `conf/…`, `certs/…`. */
export interface FileChange {
  /** The image whose HAProxy has to accept the whole before the first file is changed. @default the proxy's own */
  readonly image?: string;
  /** May hold secrets: certificates with their keys. */
  readonly files: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** False: nothing runs, or what runs is about to be replaced. */
  readonly reload: boolean;
  /** Of who changes the proxy itself, and so holds its lock; a route's change waits for that. @default false */
  readonly own?: boolean;
}

/** What a change waits for at most: three locks, an order, two tries of the configuration, one reload. */
const CHANGE_MS = 475_000;

/**
 * Looks at a proxy's folder and processes, in one round trip; undefined when there is no such folder.
 * @throws SlipwayError sudo-unavailable, command-failed, connection-lost
 */
export async function observeProxy(host: ProxyHost, proxy: string): Promise<ObservedProxy | undefined> {
  const stdout = await runOnProxy(host, proxy, "looking at", SHOW_SCRIPT, [], {});
  return stdout.startsWith("@slipway absent") ? undefined : parseShown(stdout);
}

/**
 * Changes files of a proxy: all or none, tried by `haproxy -c` together with what stays, then read anew by what runs, without
 * losing a connection. Gives what is there then.
 * @throws SlipwayError proxy-config-invalid, route-taken, proxy-busy (nothing was changed then), proxy-failed
 */
export async function applyFiles(host: ProxyHost, proxy: string, change: FileChange): Promise<ObservedProxy> {
  const whose = change.own === true ? "own" : "route";
  const args = [change.image ?? "", change.reload ? "reload" : "leave", whose, ...change.removed];
  const stdin = await tarOf(change.files);
  return parseShown(
    await runOnProxy(host, proxy, "configuring", APPLY_SCRIPT, args, { stdin, timeoutMs: CHANGE_MS }),
  );
}

/**
 * Writes a route's file and sends commands to the running proxy, in one round trip. Gives what is there then.
 * @throws SlipwayError proxy-busy: nothing was changed then
 */
export async function switchServers(
  host: ProxyHost,
  proxy: string,
  file: { readonly name: string; readonly text: string },
  commands: string,
): Promise<ObservedProxy> {
  const length = String(Buffer.byteLength(file.text));
  const stdin = Buffer.from(file.text + commands);
  const options = { stdin, timeoutMs: CHANGE_MS };
  return parseShown(await runOnProxy(host, proxy, "switching", SWITCH_SCRIPT, [file.name, length], options));
}

/** The HAProxy of one container, asked by itself. */
export interface ProxyAnswer {
  /** Undefined when its socket does not answer. */
  readonly version: string | undefined;
  readonly listens: boolean;
}

/** Asks one container of a proxy, by the folder that its sockets are in. */
export async function askContainer(
  host: ProxyHost,
  proxy: string,
  at: { readonly container: string; readonly run: string; readonly port: number },
): Promise<ProxyAnswer> {
  const args = [at.run, at.container, portHex(at.port)];
  const text = await runOnProxy(host, proxy, "asking", ANSWER_SCRIPT, args, {});
  return { version: parseShown(text).version, listens: text.startsWith(`${MARK}listens`) };
}

/** Removes all that a proxy has on the host beside its container. */
export async function removeFolder(host: ProxyHost, proxy: string): Promise<void> {
  await runOnProxy(host, proxy, "removing", REMOVE_SCRIPT, [], {});
}

/**
 * Runs one of our scripts as root, the proxy's folder before its arguments; gives what it printed.
 * @throws SlipwayError by its exit code
 */
export async function runOnProxy(
  { session, signal }: ProxyHost,
  proxy: string,
  verb: string,
  script: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const argv = ["/bin/sh", "-c", script, "slipway-proxy", folderOf(proxy), ...args];
  const outcome = await session.exec(argv, { ...options, sudo: true, signal });
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
  throw failureOf(session, `${verb} the proxy "${proxy}"`, outcome);
}

function failureOf(session: HostSession, what: string, outcome: CommandOutcome): SlipwayError {
  const words = tail(session.redact(stripControl(outcome.stderr.trim() || outcome.stdout.trim())));
  const parts = { what, host: session.target };
  if (outcome.kind !== "exited") {
    const why = "the command broke off, so its outcome is unknown";
    return new SlipwayError({
      ...parts,
      code: "connection-lost",
      why,
      next: "Run pulumi up again: it looks anew",
    });
  }
  switch (outcome.code) {
    case EXIT.locked:
      return new SlipwayError({
        ...parts,
        code: "proxy-busy",
        why: `${words || "somebody else"} has been changing it all the time`,
        after: `after ${LOCK_SECONDS}s`,
        left: "Nothing was changed",
        next: "Run pulumi up again when that has ended",
      });
    case EXIT.twice:
      return new SlipwayError({
        ...parts,
        code: "route-taken",
        why: `another service has the route ${words.split("\n").join(", ")}`,
        left: "Nothing was changed",
        next: "Give one of them another host name or path",
      });
    case EXIT.refused:
      return new SlipwayError({
        ...parts,
        code: "proxy-config-invalid",
        why: "HAProxy does not accept its configuration",
        left: "Nothing was changed",
        next: "Its words are below; line numbers are of files in the proxy's folder",
        evidence: words,
      });
    case EXIT.unchecked:
      return new SlipwayError({
        ...parts,
        code: "engine-unreachable",
        why: "the engine did not end a try of its configuration, twice",
        left: "Nothing was changed",
        next: `${LOOK_AT_DAEMON}, then run pulumi up again`,
      });
    case EXIT.reloadFailed:
      return new SlipwayError({
        ...parts,
        code: "proxy-failed",
        why: "its process did not take over the new configuration",
        left: "The one that ran serves on; the files on the host are the new ones",
        next: "Look at its container's log",
      });
    default:
      return new SlipwayError({
        ...parts,
        code: "command-failed",
        why: `exit code ${outcome.code}`,
        evidence: words,
      });
  }
}

/** Owner root and for root alone, always the same for the same files. */
async function tarOf(files: ReadonlyMap<string, string>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of files) tar.entry({ name, mode: 0o600, mtime: new Date() }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
