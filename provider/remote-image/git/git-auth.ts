import type { Connection } from "../../host/connection";
import { readKeyField, readPath } from "../../host/connection-texts";
import { parseHostKey } from "../../host/host-key/host-key";
import type { Fields } from "../../values";
import { type GitRemote, type HttpsRemote, isSamePlace, type SshRemote } from "./git-remote";

/** How a private repository is read; for the one server of the context, whatever its submodules name. */
export interface GitAuth {
  readonly username: string | undefined;
  /** Secret. */
  readonly token: string | undefined;
  /** What an ssh connection takes; secret in part. */
  readonly ssh: Omit<Connection, "host" | "port" | "user">;
}

/** GitHub's name for whoever has a token; GitLab, Gitea and others take any. */
const TOKEN_USER = "x-access-token";
/** A server that does not answer must not hold up a preview. */
const DIALS = 2;

/** Reads `gitAuth`. */
export function readGitAuth(fields: Fields): GitAuth {
  const username = fields.string("username");
  const token = fields.string("token");
  if (token === "" || /[\p{Cc}]/u.test(token ?? "")) fields.fail("token", "must be a text on one line");
  if (/[:\p{Cc}]/u.test(username ?? "")) fields.fail("username", "must be a name without a colon");
  if (username !== undefined && !fields.has("token")) fields.fail("username", "needs a token");
  const ssh = {
    privateKey: readKeyField(fields),
    privateKeyPassword: fields.string("privateKeyPassword"),
    privateKeyPath: readPath(fields, "privateKeyPath"),
    agentSocketPath: readPath(fields, "agentSocketPath"),
    hostKey: readHostKeys(fields),
    knownHosts: readPath(fields, "knownHosts"),
    sshConfig: fields.boolean("sshConfig"),
  };
  fields.rejectOthers([], { password: "token", user: "username", key: "privateKey", sshKey: "privateKey" });
  const given = Object.entries(ssh).filter(([, value]) => value !== undefined);
  return { username, token, ssh: Object.fromEntries(given) };
}

/** Fails what is given for the other kind of URL: it would never be used. */
export function refuseUseless(auth: GitAuth, remote: GitRemote, fields: Fields): void {
  if (remote.kind === "ssh" && auth.token !== undefined) {
    fields.fail("gitAuth", "has a token, which is for https URLs, and context is an ssh one");
  }
  const [first] = Object.keys(auth.ssh);
  if (remote.kind === "https" && first !== undefined) {
    fields.fail("gitAuth", `has ${first}, which is for ssh URLs, and context is an https one`);
  }
}

/** What is shown to a server: `root`'s credential, to that one alone. */
export function authFor(auth: GitAuth | undefined, remote: GitRemote, root: GitRemote): GitAuth | undefined {
  return isSamePlace(remote, root) ? auth : undefined;
}

/** The header that a token goes in; undefined without one. */
export function authorization(auth: GitAuth | undefined): string | undefined {
  if (auth?.token === undefined) return undefined;
  return `Basic ${Buffer.from(`${auth.username ?? TOKEN_USER}:${auth.token}`).toString("base64")}`;
}

/** How the server of an ssh URL is reached. */
export function sshConnection({ host, port, user }: SshRemote, auth: GitAuth | undefined): Connection {
  return {
    host,
    user,
    ...(port === undefined ? {} : { port }),
    dialErrorLimit: DIALS,
    ...auth?.ssh,
  };
}

/** Every secret text of a credential in the forms that an answer could repeat it in. */
export function secretTexts(auth: GitAuth | undefined): readonly string[] {
  const { privateKey, privateKeyPassword } = auth?.ssh ?? {};
  const header = authorization(auth)?.slice("Basic ".length);
  const texts = [auth?.token, header, privateKey, privateKeyPassword];
  return texts.filter((text): text is string => text !== undefined);
}

/** The origin that a token may be shown to, redirected or not. */
export function originOf({ host, port }: HttpsRemote): string {
  return `https://${host}${port === undefined ? "" : `:${port}`}`;
}

function readHostKeys(fields: Fields): string | readonly string[] | undefined {
  const keys = Array.isArray(fields.raw("hostKey")) ? fields.strings("hostKey") : fields.string("hostKey");
  for (const key of keys === undefined ? [] : [keys].flat()) {
    if (parseHostKey(key) === undefined) {
      fields.fail("hostKey", "must be a public key line or a SHA256 fingerprint (ssh-keyscan shows the one)");
    }
  }
  return keys;
}
