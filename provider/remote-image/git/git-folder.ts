import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { HandlerContext } from "../../handler";
import { SlipwayError } from "../../errors";
import { resolveRef } from "./advertisement";
import { checkOut } from "./checkout";
import { type CheckoutPlace, checkoutPlace, keepCheckout, keptCheckout } from "./checkout-cache";
import type { GitAuth } from "./git-auth";
import { contextText, type GitContext, isCommitId } from "./git-context";
import { refused } from "./git-error";
import { remoteText } from "./git-remote";
import { serverOf, withServer } from "./git-server";

/** A context in git, and how its server is asked. */
export interface GitSource {
  readonly git: GitContext;
  readonly auth: GitAuth | undefined;
  readonly context: Pick<HandlerContext, "log" | "clock" | "random">;
  readonly signal: AbortSignal;
}

/** What is being asked or fetched just now, for all resources that want the same. */
const underWay = new Map<string, Promise<string>>();

/**
 * The commit that a context's ref leads to now; a whole id is taken as it is.
 * @throws SlipwayError git-unreachable, git-refused (login, no such repository or ref), and what an ssh connection throws
 */
export function resolveCommit(source: GitSource): Promise<string> {
  const { ref, remote } = source.git;
  if (ref !== undefined && isCommitId(ref)) return Promise.resolve(ref);
  const repository = remoteText(remote);
  return shared(["ref", repository, ref, source.auth], () =>
    withServer(remote, source.auth, serverOf(source.context, source.signal, source.auth), (talk) => {
      const found = resolveRef(talk.advertisement, ref);
      if (found !== undefined) return Promise.resolve(found);
      if (talk.advertisement.refs.size === 0) throw refused(repository, "the repository is empty");
      if (ref === undefined)
        throw refused(repository, "its HEAD leads to no commit", 'Name a branch: "#main"');
      const next = /^[0-9a-f]{4,39}$/.test(ref) ? "A commit is named by all 40 digits of its id" : undefined;
      throw refused(repository, `there is no branch or tag ${ref}`, next);
    }),
  );
}

/**
 * A local folder with the files of a commit, or of the context's part of it; fetched where this machine has not got it.
 * `dockerfile` is as seen from there.
 * @throws SlipwayError as `resolveCommit`; context-missing, dockerfile-missing, also where a link leads out of the repository
 */
export async function openGitFolder(
  source: GitSource,
  commit: string,
  dockerfile: string | undefined,
): Promise<string> {
  const { git, auth } = source;
  const place = placeOf(source, commit);
  const tree = await shared(["files", place.folder, auth], async () => {
    const kept = await keptCheckout(place);
    if (kept !== undefined) return kept;
    return keepCheckout(place, async (folder, beside) => {
      const server = serverOf(source.context, source.signal, auth);
      server.context.log.progress(`fetching ${remoteText(git.remote)} at ${commit}`);
      await checkOut({ remote: git.remote, commit, auth, folder, beside }, server);
    });
  });
  return partOf(tree, git, commit, dockerfile);
}

/** As `openGitFolder`; undefined where it would have to be fetched. */
export async function keptGitFolder(
  source: GitSource,
  commit: string,
  dockerfile: string | undefined,
): Promise<string | undefined> {
  const tree = await keptCheckout(placeOf(source, commit));
  return tree === undefined ? undefined : partOf(tree, source.git, commit, dockerfile);
}

function placeOf({ git, context }: GitSource, commit: string): CheckoutPlace {
  return checkoutPlace(git.remote, commit, () => context.clock.wall());
}

/** The context's part of a checkout, with nothing in it that would show the builder another file of this machine. */
async function partOf(
  tree: string,
  git: GitContext,
  commit: string,
  dockerfile: string | undefined,
): Promise<string> {
  const folder = path.join(tree, git.folder);
  await mustStayIn(tree, folder, "context-missing", git.folder);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    const repository = remoteText(git.remote);
    throw missing("context-missing", `there is no folder ${git.folder} in ${repository} at ${commit}`);
  }
  const named = dockerfile === undefined ? [] : [dockerfile, `${dockerfile}.dockerignore`];
  for (const name of [...named, ".dockerignore"]) {
    await mustStayIn(tree, path.resolve(folder, name), "dockerfile-missing", name);
  }
  if (dockerfile !== undefined && !existsSync(path.resolve(folder, dockerfile))) {
    throw missing("dockerfile-missing", `there is no file ${dockerfile} in ${contextText(git)} at ${commit}`);
  }
  return folder;
}

type MissingCode = "context-missing" | "dockerfile-missing";

async function mustStayIn(tree: string, file: string, code: MissingCode, shown: string): Promise<void> {
  const named = path.relative(tree, file);
  // what is not there is for the reader of the context to say
  const real = await realpath(file).catch(() => undefined);
  const followed = real === undefined ? named : path.relative(await realpath(tree), real);
  if (
    ![named, followed].some(
      (each) => each === ".." || each.startsWith(`..${path.sep}`) || path.isAbsolute(each),
    )
  ) {
    return;
  }
  throw missing(
    code,
    `${shown} leads out of the repository, and nothing of this machine is read in its place`,
  );
}

function missing(code: MissingCode, why: string): SlipwayError {
  return new SlipwayError({ code, what: "reading the build context", why });
}

/** One asks for all who want the same at that moment. */
function shared(key: readonly unknown[], work: () => Promise<string>): Promise<string> {
  const name = JSON.stringify(key);
  const found = underWay.get(name);
  if (found !== undefined) return found;
  const begun = work().finally(() => underWay.delete(name));
  underWay.set(name, begun);
  return begun;
}
