import { type GitRemote, parseRemote, remoteText } from "./git-remote";

/** A context that lies in a repository: `https://host/org/repo.git#ref:folder`. */
export interface GitContext {
  readonly remote: GitRemote;
  /** A branch, a tag, `refs/…` or a whole commit id; undefined is what the server calls HEAD. */
  readonly ref: string | undefined;
  /** Relative, with slashes; empty for the whole repository. */
  readonly folder: string;
}

export type ParsedContext = GitContext | { readonly refused: string };

/** True for what `docker build` would take from git or the web: `https://…`, `git@…`, `github.com/…`. */
export function isRemoteContext(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|[A-Za-z0-9._-]+@[^/\\:@]+:|github\.com\/)/i.test(context);
}

/** Reads a context for which `isRemoteContext` holds. A refusal goes on the sentence "context …". */
export function parseGitContext(text: string): ParsedContext {
  if (/^github\.com\//i.test(text)) return { refused: "is a URL without its scheme: begin it with https://" };
  const hash = text.indexOf("#");
  const url = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  const remote = parseRemote(url);
  if (remote.kind === "refused") return { refused: remote.why };
  const colon = fragment.indexOf(":");
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const folder = colon < 0 ? "" : fragment.slice(colon + 1);
  if (ref !== "" && !isRefName(ref))
    return { refused: `names a ref that can be none: ${JSON.stringify(ref)}` };
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  if (folder.startsWith("/") || parts.includes("..") || /[\p{Cc}\\]/u.test(folder)) {
    return { refused: `names a folder outside the repository: ${JSON.stringify(folder)}` };
  }
  return { remote, ref: ref === "" ? undefined : ref, folder: parts.join("/") };
}

/** The context as messages name it. */
export function contextText({ remote, ref, folder }: GitContext): string {
  const fragment = `${ref ?? ""}${folder === "" ? "" : `:${folder}`}`;
  return `${remoteText(remote)}${fragment === "" ? "" : `#${fragment}`}`;
}

/** True for a whole commit id, which needs no look-up. */
export function isCommitId(ref: string): boolean {
  return /^[0-9a-f]{40}$/.test(ref);
}

/** git's own rules for the names of refs. */
function isRefName(ref: string): boolean {
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|\/\.|[/.]$|\.lock(?:\/|$)/u.test(ref)) return false;
  return ref !== "@";
}
