import path from "node:path";

/** A repository's place, without any credential. */
export type GitRemote = HttpsRemote | SshRemote;

export interface HttpsRemote {
  readonly kind: "https";
  /** Host name or address as URLs have it: IPv6 in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Begins with a slash, as it goes into the request. */
  readonly path: string;
}

export interface SshRemote {
  readonly kind: "ssh";
  readonly user: string;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** As it goes to the server: from the root, from the login folder, or `~name/…`. */
  readonly path: string;
}

/** A remote, or why there is none: the reason never repeats the text, which may hold a password. */
export type ParsedRemote = GitRemote | { readonly kind: "refused"; readonly why: string };

/** Whom a repository without a user in its URL is asked as. */
const SSH_USER = "git";

/** Reads `https://host/path`, `ssh://user@host:port/path` and `user@host:path`. */
export function parseRemote(text: string): ParsedRemote {
  if (/[\s\p{Cc}]/u.test(text)) return refused("holds a blank or a control character");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return parseScp(text);
  if (scheme !== "https" && scheme !== "ssh")
    return refused(`is a ${scheme} URL: only https and ssh are taken`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refused("is no URL that can be read");
  }
  if (url.search !== "") return refused('holds a "?": ref and folder go behind a "#", as in "#main:app"');
  if (url.hostname === "") return refused("names no host");
  const port = url.port === "" ? undefined : Number(url.port);
  return scheme === "https" ? httpsRemote(url, port) : sshRemote(url, port);
}

/** The URL as it stands in messages, and as a key of what is known of it; `parseRemote` reads it. */
export function remoteText(remote: GitRemote): string {
  const { host, port } = remote;
  const place = `${remote.kind === "ssh" && host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}`;
  if (remote.kind === "https") return `https://${place}${remote.path}`;
  if (remote.path.startsWith("/")) return `ssh://${remote.user}@${place}${remote.path}`;
  if (remote.path.startsWith("~")) return `ssh://${remote.user}@${place}/${remote.path}`;
  return `${remote.user}@${host}:${remote.path}`;
}

/** True where a credential for the one may be shown to the other. */
export function isSamePlace(one: GitRemote, other: GitRemote): boolean {
  return (
    one.kind === other.kind &&
    one.host.toLowerCase() === other.host.toLowerCase() &&
    (one.port ?? defaultPort(one)) === (other.port ?? defaultPort(other))
  );
}

/** The remote of a submodule: its URL may be relative to that of the repository that names it. */
export function submoduleRemote(url: string, parent: GitRemote): ParsedRemote {
  if (!/^\.\.?\//.test(url)) return parseRemote(url);
  if (/[\s\p{Cc}]/u.test(url)) return refused("holds a blank or a control character");
  let base = parent.path.replace(/\/+$/, "");
  let rest = url;
  for (;;) {
    if (rest.startsWith("./")) {
      rest = rest.slice(2);
    } else if (rest.startsWith("../")) {
      if (!/[^/]/.test(base)) return refused("leads above its server's root");
      base = base.includes("/") ? path.posix.dirname(base) : "";
      if (base === ".") base = "";
      rest = rest.slice(3);
    } else break;
  }
  if (rest === "" || rest.split("/").includes("..")) return refused("is no path that can be followed");
  const joined = base === "" ? rest : `${base.replace(/\/$/, "")}/${rest}`;
  return { ...parent, path: joined.replace(/\/+$/, "") };
}

function httpsRemote(url: URL, port: number | undefined): ParsedRemote {
  if (url.password !== "") {
    return refused(
      "holds a password: give it as gitAuth: { token }, and with username where the server wants one",
    );
  }
  if (url.username !== "") {
    return refused("holds a user name, or a token in its place: give gitAuth: { username, token }");
  }
  const place = url.pathname.replace(/\/+$/, "");
  if (place === "") return refused("names no repository");
  return { kind: "https", host: url.hostname, port, path: place };
}

function sshRemote(url: URL, port: number | undefined): ParsedRemote {
  if (url.password !== "") return refused("holds a password: a key goes into gitAuth: { privateKey }");
  const user = decoded(url.username);
  const place = decoded(url.pathname)?.replace(/\/+$/, "");
  if (user === undefined || place === undefined) return refused("is no URL that can be read");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return checkedSsh({
    kind: "ssh",
    user: user === "" ? SSH_USER : user,
    host,
    port,
    path: place.startsWith("/~") ? place.slice(1) : place,
  });
}

function parseScp(text: string): ParsedRemote {
  const [, user = "", host = "", place = ""] = /^([^@/:]+)@([^@/:[\]]+):(.*)$/.exec(text) ?? [];
  if (host === "") return refused("is no URL of a repository: give https://… or ssh://…");
  return checkedSsh({ kind: "ssh", user, host, port: undefined, path: place.replace(/\/+$/, "") });
}

function checkedSsh(remote: SshRemote): ParsedRemote {
  if (remote.path === "" || remote.path === "~") return refused("names no repository");
  if (/[\p{Cc}]/u.test(remote.path)) return refused("holds a control character");
  // git-upload-pack would take it for an option
  if (remote.path.startsWith("-")) return refused("names a path that begins with a dash");
  if (/^-|[^A-Za-z0-9._-]/.test(remote.user)) return refused("names a user that can be none");
  if (remote.host.startsWith("-")) return refused("names a host that can be none");
  return remote;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function defaultPort({ kind }: GitRemote): number {
  return kind === "https" ? 443 : 22;
}

function refused(why: string): { readonly kind: "refused"; readonly why: string } {
  return { kind: "refused", why };
}
