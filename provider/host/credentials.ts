import { readFile } from "node:fs/promises";
import { type AnyAuthMethod, type ParsedKey, utils } from "ssh2";
import { SlipwayError, messageOf } from "../errors";
import { type Connection, targetOf } from "./connection";
import { expandHome } from "./host-key-demand";

/** One way to log in, tried once. `label` names it in messages and holds no secret. */
export interface Credential {
  readonly label: string;
  readonly method: AnyAuthMethod;
}

/**
 * The ways to log in, in the order they are tried. The agent of the environment is asked only when the connection names
 * nothing else: every key that a server refuses counts against its limit.
 * @throws SlipwayError invalid-input (nothing to log in with, a key that cannot be read)
 */
export async function credentialsOf(
  connection: Connection,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly Credential[]> {
  const username = connection.user ?? "root";
  const found: Credential[] = [];
  if (connection.privateKey) {
    found.push(keyCredential(connection, connection.privateKey, "privateKey"));
  } else if (connection.privateKeyPath) {
    const text = await readKeyFile(connection, connection.privateKeyPath);
    found.push(keyCredential(connection, text, `the key in ${connection.privateKeyPath}`));
  }
  const named = found.length > 0 || Boolean(connection.password);
  const agent = connection.agentSocketPath ?? (named ? undefined : environment.SSH_AUTH_SOCK);
  if (agent) found.push({ label: `the agent at ${agent}`, method: { type: "agent", username, agent } });
  const { password } = connection;
  if (password) {
    found.push({ label: "password", method: { type: "password", username, password } });
    found.push({ label: "keyboard-interactive", method: keyboardInteractive(username, password) });
  }
  if (found.length > 0) return found;
  throw failure(
    connection,
    "there is nothing to log in with: no privateKey, privateKeyPath, password or agent (SSH_AUTH_SOCK is not set)",
    "Give the connection one of them",
  );
}

/** Answers every hidden question with the password; servers that ask for more than one thing are refused by them. */
function keyboardInteractive(username: string, password: string): AnyAuthMethod {
  return {
    type: "keyboard-interactive",
    username,
    prompt: (_name, _instructions, _language, prompts, finish) => {
      finish(prompts.map((prompt) => (prompt.echo === true ? "" : password)));
    },
  };
}

async function readKeyFile(connection: Connection, path: string): Promise<string> {
  try {
    return await readFile(expandHome(path), "utf8");
  } catch (error) {
    throw failure(connection, `privateKeyPath cannot be read: ${messageOf(error)}`, undefined, error);
  }
}

function keyCredential(connection: Connection, text: string, label: string): Credential {
  // a key that went through an editor or a CI variable often lost its last line feed or gained carriage returns
  const clean = `${text.replaceAll("\r\n", "\n").trim()}\n`;
  const parsed: unknown = utils.parseKey(clean, connection.privateKeyPassword ?? "");
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
  if (key instanceof Error) {
    const asked = connection.privateKeyPassword
      ? "Is privateKeyPassword right?"
      : "An encrypted key needs privateKeyPassword";
    throw failure(connection, `${label} cannot be used: ${key.message}`, asked, key);
  }
  if (!key.isPrivateKey()) {
    throw failure(connection, `${label} is a public key`, "Give the private half");
  }
  const username = connection.user ?? "root";
  return { label, method: { type: "publickey", username, key: withoutSha1(key) } };
}

/** ssh2 falls back to SHA-1 signatures with RSA keys when a server names no better; we don't. */
function withoutSha1(key: ParsedKey): ParsedKey {
  const sign = key.sign.bind(key) as (data: Buffer | string, algorithm?: string) => Buffer | Error;
  key.sign = ((data: Buffer | string, algorithm?: string) =>
    algorithm === "sha1"
      ? new Error("the server takes RSA keys with SHA-1 signatures only")
      : sign(data, algorithm)) as ParsedKey["sign"];
  return key;
}

function failure(connection: Connection, why: string, next?: string, cause?: unknown): SlipwayError {
  return new SlipwayError({
    code: "invalid-input",
    what: "preparing the login",
    host: targetOf(connection),
    why,
    next,
    cause,
  });
}
