import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { Fields, UNKNOWN, hasUnknown } from "../values";
import { dockerfileInContext } from "./context";
import { contextText, type GitContext, isRemoteContext, parseGitContext } from "./git/git-context";
import { type GitSource, keptGitFolder, openGitFolder, resolveCommit } from "./git/git-folder";
import { unreachable } from "./git/git-error";
import { isUnanswered } from "./git/git-server";
import { remoteText } from "./git/git-remote";
import { readContext } from "./read-context";
import { type ImageSpec, readDockerfile } from "./spec";

/** What check knows of a context. */
export interface SeenContext {
  readonly hash: string;
  readonly bytes: number | string;
  /** In the context. */
  readonly dockerfile: string | undefined;
  /** Of a context in git. */
  readonly commit: string | undefined;
}

/** What check is given. */
interface Given {
  /** The inputs of the run before, what check added to them included. */
  readonly olds: Properties;
  readonly news: Properties;
  readonly spec: ImageSpec;
}

/** Reads the context; what is wrong with it becomes a failure of `fields`. */
export async function seeContext(
  given: Given,
  fields: Fields,
  context: HandlerContext,
): Promise<SeenContext> {
  const { news, spec } = given;
  const unknown = { hash: UNKNOWN, bytes: UNKNOWN, dockerfile: undefined, commit: UNKNOWN };
  if (spec.context === undefined || hasUnknown(news.dockerfile)) return unknown;
  if (spec.dockerfile === undefined && !fields.has("dockerfileInline")) return unknown;
  const { signal, clock } = context;
  try {
    const { git } = spec;
    if (git !== undefined) {
      // a mistake there would show as a refused login
      if (hasUnknown(news.gitAuth) || fields.failures.length > 0) return unknown;
      return await inTime(git, spec.timeoutMs, context, (signal) =>
        seeGitContext(given, git, { ...context, signal }),
      );
    }
    const { dockerfile } = spec;
    const folder = spec.context;
    const seen = await readContext({ folder, dockerfile, signal, wall: () => clock.wall() });
    return { ...seen, commit: undefined };
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const ofContext = ["context-missing", "dockerfile-missing", "context-changed", "invalid-input"];
    const why = spec.git !== undefined && !ofContext.includes(error.code) ? error.message : error.parts.why;
    fields.fail(error.code === "dockerfile-missing" ? "dockerfile" : "context", why);
    return unknown;
  }
}

/** As long as a build may take, and then an error that says so. */
async function inTime<T>(
  git: GitContext,
  timeoutMs: number,
  { signal }: HandlerContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await work(AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (!deadline.aborted || signal.aborted) throw error;
    throw unreachable(
      contextText(git),
      `it was not read within ${formatDuration(timeoutMs)}, the timeout`,
      error,
    );
  }
}

async function seeGitContext(
  { olds, spec }: Given,
  git: GitContext,
  context: HandlerContext,
): Promise<SeenContext> {
  const { signal } = context;
  const source = { git, auth: spec.gitAuth, context, signal };
  const before = recordedGit(olds);
  const commit = await commitNow(source, before, context);
  const { dockerfile } = spec;
  const isSame =
    commit === before?.commit &&
    git.folder === before.git.folder &&
    remoteText(git.remote) === remoteText(before.git.remote) &&
    dockerfile === before.dockerfile;
  const kept = isSame ? await keptGitFolder(source, commit, dockerfile) : undefined;
  if (isSame && kept === undefined) {
    // a commit never changes, nor does what was read of it: a machine that has not got its files need not fetch them
    const { hash, bytes } = before;
    return { hash, bytes, dockerfile: dockerfileInContext(dockerfile), commit };
  }
  const folder = kept ?? (await openGitFolder(source, commit, dockerfile));
  const seen = await readContext({ folder, dockerfile, signal, wall: () => context.clock.wall() });
  return { ...seen, commit };
}

/** Where the ref leads now; where it led in the run before, when nobody says. */
async function commitNow(
  source: GitSource,
  before: RecordedGit | undefined,
  { log }: HandlerContext,
): Promise<string> {
  try {
    return await resolveCommit(source);
  } catch (error) {
    const { git } = source;
    const isSameRef =
      before !== undefined &&
      before.git.ref === git.ref &&
      remoteText(before.git.remote) === remoteText(git.remote);
    if (!isSameRef || !(error instanceof SlipwayError) || !isUnanswered(error)) throw error;
    log.warn(`${contextText(git)} stays at commit ${before.commit}, as in the run before: ${error.message}`);
    return before.commit;
  }
}

/** What an earlier run's inputs say of a context in git. */
interface RecordedGit {
  readonly git: GitContext;
  readonly commit: string;
  readonly hash: string;
  readonly bytes: number;
  /** As in ImageSpec. */
  readonly dockerfile: string | undefined;
}

function recordedGit({
  context,
  commit,
  contextHash,
  contextBytes,
  ...olds
}: Properties): RecordedGit | undefined {
  if (typeof context !== "string" || !isRemoteContext(context) || typeof commit !== "string")
    return undefined;
  if (typeof contextHash !== "string" || typeof contextBytes !== "number") return undefined;
  if ([commit, contextHash].includes(UNKNOWN)) return undefined;
  const git = parseGitContext(context);
  if ("refused" in git) return undefined;
  const { dockerfile } = readDockerfile(new Fields(olds));
  return { git, commit, hash: contextHash, bytes: contextBytes, dockerfile };
}
