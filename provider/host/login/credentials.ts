import { readFile } from "node:fs/promises";
import type { ParsedKey } from "ssh2";
import { SlipwayError, messageOf } from "../../errors";
import { type AgentKey, type AgentKeys, OneKeyAgent, agentKeys } from "./agent-keys";
import { targetOf } from "../connection";
import { expandHome } from "../ssh-config/expand-home";
import { keyboardInteractive } from "./keyboard-interactive";
import { type KeyText, readKeyText } from "./key-text";
import type { Credential } from "./credential";
import type { Route } from "../ssh-config/route";

/** sshd hangs up after six refusals (MaxAuthTries), and a password may have to follow. */
const MOST_AGENT_KEYS = 5;

/**
 * The ways to log in, in the order they are tried: keys, the agent's keys, the password. The agent of the environment is
 * asked only when the connection names nothing else, or its ssh_config allows more than the keys named there: every key
 * that a server refuses counts against its limit.
 * @throws SlipwayError invalid-input (nothing to log in with, a key given by the program that cannot be used)
 */
export async function credentialsOf(
  route: Route,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly Credential[]> {
  const keys = await namedKeys(route);
  const username = route.user ?? "root";
  const agent = new AskedAgent(username, agentPathOf(route, environment));
  const found: Credential[] = [];
  for (const { label, text } of keys) {
    found.push(
      text.kind === "private" ? keyCredential(username, label, text.key) : await agent.inPlaceOf(label, text),
    );
  }
  if (route.identityFiles === undefined) refuseUnusable(route, keys, found);
  if (offersAgentKeys(route, keys)) found.push(...(await agent.others(keys)));
  const { password } = route;
  if (password) {
    found.push({ label: "password", method: { type: "password", username, password } });
    found.push(keyboardInteractive(username, password));
  }
  if (found.some(({ method }) => method !== undefined)) return found;
  throw nothingLeft(route, found);
}

interface NamedKey {
  readonly label: string;
  readonly text: KeyText;
}

async function namedKeys(route: Route): Promise<readonly NamedKey[]> {
  const { privateKey, privateKeyPath, privateKeyPassword: passphrase } = route;
  if (privateKey) return [{ label: "privateKey", text: readKeyText(privateKey, passphrase) }];
  if (privateKeyPath) {
    const path = expandHome(privateKeyPath);
    try {
      return [await keyIn(path, privateKeyPath, passphrase)];
    } catch (error) {
      const next = "Give the path of a key file on the machine that runs Pulumi";
      throw failure(route, `privateKeyPath cannot be read: ${messageOf(error)}`, next, error);
    }
  }
  const keys: NamedKey[] = [];
  for (const path of route.identityFiles ?? []) {
    try {
      keys.push(await keyIn(path, path, passphrase));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      const text: KeyText = { kind: "unfit", why: messageOf(error), next: "Mend the file's rights" };
      keys.push({ label: `the key in ${path}`, text });
    }
  }
  return keys;
}

/** A key file; without it, or when it is locked, its public half beside it tells which of an agent's keys it is. */
async function keyIn(path: string, name: string, passphrase: string | undefined): Promise<NamedKey> {
  const label = `the key in ${name}`;
  const publicHalf = async (): Promise<KeyText> =>
    readKeyText(await readFile(`${path}.pub`, "utf8"), undefined);
  try {
    const text = readKeyText(await readFile(path, "utf8"), passphrase);
    if (text.kind !== "locked" || text.blob !== undefined) return { label, text };
    const half = await publicHalf().catch(() => undefined); // most keys tell it themselves
    return { label, text: { ...text, blob: half?.kind === "public" ? half.blob : undefined } };
  } catch (error) {
    const half = await publicHalf().catch(() => undefined);
    if (half === undefined) throw error;
    return { label: `${label}.pub`, text: half };
  }
}

function agentPathOf(route: Route, environment: NodeJS.ProcessEnv): string | undefined {
  const path = route.agentSocketPath ?? route.identityAgent ?? environment.SSH_AUTH_SOCK;
  return path === "none" || path === "" ? undefined : path && expandHome(path);
}

/** Whether the agent's other keys are offered too, besides those that stand for a key named. */
function offersAgentKeys(route: Route, keys: readonly NamedKey[]): boolean {
  if (route.identitiesOnly === true) return false;
  if (route.identityFiles !== undefined || route.agentSocketPath !== undefined) {
    // the public half of a key chooses that one
    return !keys.some(({ text }) => text.kind === "public");
  }
  return keys.length === 0 && !route.password;
}

/** An agent, asked for its keys once and only when one may be wanted. */
class AskedAgent {
  private readonly username: string;
  private readonly path: string | undefined;
  private readonly offered: Buffer[] = [];
  private answer: Promise<AgentKeys | string> | undefined;

  constructor(username: string, path: string | undefined) {
    this.username = username;
    this.path = path;
  }

  /** The agent's key for one that cannot be used as it is given. */
  async inPlaceOf(label: string, text: Exclude<KeyText, { kind: "private" }>): Promise<Credential> {
    if (text.kind === "unfit" || text.blob === undefined) return unusable(`${label}: ${text.why}`);
    const { blob } = text;
    const held = await this.keys();
    if (held === undefined) return unusable(`${label}: ${text.why}`);
    if (typeof held === "string") return unusable(`${label}: ${text.why}; ${held}`);
    const key = held.usable.find((each) => each.blob.equals(blob));
    if (key !== undefined) return this.credential(`${label}, by the agent`, key);
    return unusable(`${label}: ${text.why}; the agent at ${this.path ?? ""} does not hold it`);
  }

  /** The keys that were not offered yet, as many as a server puts up with. */
  async others(named: readonly NamedKey[]): Promise<readonly Credential[]> {
    const held = await this.keys();
    if (held === undefined) return [];
    if (typeof held === "string") return [unusable(held)];
    const known = named
      .flatMap(({ text }) => (text.kind === "private" ? [text.blob] : []))
      .concat(this.offered);
    const rest = held.usable.filter(({ blob }) => !known.some((each) => each.equals(blob)));
    const room = Math.max(0, MOST_AGENT_KEYS - known.length);
    const notes = [...this.leftOut(rest.length, room), ...this.notForUs(held)];
    return [
      ...rest.slice(0, room).map((key) => this.credential(`the agent's key ${key.label}`, key)),
      ...notes.map(unusable),
    ];
  }

  private leftOut(count: number, room: number): readonly string[] {
    if (count <= room) return [];
    const way = `name the right one: privateKeyPath with its public half (….pub), or IdentityFile and IdentitiesOnly yes in ssh_config`;
    return [
      `${count - room} of ${count} keys of the agent at ${this.path ?? ""} (sshd hangs up after some refusals; ${way})`,
    ];
  }

  private notForUs({ usable, unusable: types }: AgentKeys): readonly string[] {
    const others =
      types.length === 0
        ? []
        : [`${types.join(", ")} of the agent (ssh2 knows no keys in hardware and no certificates)`];
    return usable.length + types.length > 0
      ? others
      : [
          `the agent at ${this.path ?? ""}: it holds no key, or is locked (ssh-add -l shows it, ssh-add adds one)`,
        ];
  }

  private credential(label: string, { blob, key }: AgentKey): Credential {
    this.offered.push(blob);
    const agent = new OneKeyAgent(this.path ?? "", key);
    return {
      label,
      method: { type: "agent", username: this.username, agent },
      complaint: () => agent.complaint,
    };
  }

  /** Undefined when there is no agent; a text when it does not answer. */
  private keys(): Promise<AgentKeys | string | undefined> {
    const { path } = this;
    if (path === undefined) return Promise.resolve(undefined);
    this.answer ??= agentKeys(path).catch(
      (error: unknown) =>
        `the agent at ${path}: ${messageOf(error)} (start one with ssh-agent, or give agentSocketPath or a key)`,
    );
    return this.answer;
  }
}

function unusable(label: string): Credential {
  return { label, method: undefined };
}

function keyCredential(username: string, label: string, key: ParsedKey): Credential {
  let complaint: string | undefined;
  const sign = key.sign.bind(key) as (bytes: Buffer | string, algorithm?: string) => Buffer | Error;
  // ssh2 falls back to SHA-1 signatures with RSA keys when a server names no better; we don't
  key.sign = ((bytes: Buffer | string, algorithm?: string) => {
    if (algorithm !== "sha1") return sign(bytes, algorithm);
    complaint =
      "the machine takes RSA keys with SHA-1 signatures only, which are not safe; give another kind of key, or update its sshd";
    return new Error(complaint);
  }) as ParsedKey["sign"];
  return { label, method: { type: "publickey", username, key }, complaint: () => complaint };
}

/** A key that the program itself gives has to be one, whatever else there is. */
function refuseUnusable(route: Route, keys: readonly NamedKey[], found: readonly Credential[]): void {
  keys.forEach(({ label, text }, index) => {
    if (text.kind === "private" || found[index]?.method !== undefined) return;
    const said = found[index]?.label.slice(label.length + 2) ?? text.why;
    throw failure(route, `${label} cannot be used: ${said}`, text.next);
  });
}

function nothingLeft(route: Route, found: readonly Credential[]): SlipwayError {
  if (found.length > 0) {
    const why = found.map(({ label }) => label).join("; ");
    return failure(
      route,
      `there is nothing to log in with: ${why}`,
      "Give the connection a key, an agent or a password",
    );
  }
  const files =
    route.identityFiles === undefined ? "" : `, and none of ${route.identityFiles.join(", ")} is there`;
  return failure(
    route,
    `there is nothing to log in with: no privateKey, privateKeyPath, password or agent (SSH_AUTH_SOCK is not set)${files}`,
    "Give the connection one of them",
  );
}

function failure(route: Route, why: string, next?: string, cause?: unknown): SlipwayError {
  return new SlipwayError({
    code: "invalid-input",
    what: "preparing the login",
    host: targetOf(route),
    why,
    next,
    cause,
  });
}
