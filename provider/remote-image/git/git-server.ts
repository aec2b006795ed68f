import { isSlipwayError, messageOf, SlipwayError } from "../../errors";
import { retry } from "../../retry";
import { redactor } from "../../secret";
import { ServerRefusal } from "./advertisement";
import { type GitAuth, secretTexts } from "./git-auth";
import { refused } from "./git-error";
import { type GitRemote, remoteText } from "./git-remote";
import type { GitTalk, Server } from "./git-talk";
import { withHttps } from "./https-talk";
import { PacketError } from "./pkt-line";
import { isLineFailure, withSsh } from "./ssh-talk";

const ATTEMPTS = { attempts: 3, firstPauseMs: 500, longestPauseMs: 3_000 };

/** True for an error that says nothing of the repository: the network, or a server in trouble. */
export function isUnanswered(error: unknown): boolean {
  return isSlipwayError(error, "git-unreachable") || isLineFailure(error);
}

/** What a talk needs from outside, with a `redact` that knows the credential. */
export function serverOf(
  { log, clock, random }: Server["context"],
  signal: AbortSignal,
  auth: GitAuth | undefined,
): Server {
  return { context: { log, clock, random }, signal, redact: redactor(secretTexts(auth)) };
}

/**
 * Talks to a repository's server; what the network does is tried again.
 * @throws SlipwayError git-unreachable, git-refused, and what an ssh connection throws
 */
export async function withServer<T>(
  remote: GitRemote,
  auth: GitAuth | undefined,
  server: Server,
  use: (talk: GitTalk) => Promise<T>,
): Promise<T> {
  const { context, signal, redact } = server;
  const repository = remoteText(remote);
  const access = { ...server, auth };
  const checked = (talk: GitTalk): Promise<T> => {
    const format = [...talk.advertisement.capabilities].find((each) => each.startsWith("object-format="));
    if (format === undefined || format === "object-format=sha1") return use(talk);
    throw refused(
      repository,
      `its ids are of another kind (${format.slice(14)}) than git's usual one, SHA-1`,
    );
  };
  const onRetry = (error: unknown): void => context.log.progress(`${messageOf(error)} Trying again`);
  try {
    return await retry(ATTEMPTS, { ...context, signal, isTransient: isUnanswered, onRetry }, () =>
      remote.kind === "https" ? withHttps(remote, access, checked) : withSsh(remote, access, checked),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SlipwayError) throw error;
    if (error instanceof PacketError) throw refused(repository, `the server ${error.message}`);
    if (error instanceof ServerRefusal)
      throw refused(repository, `the server says: ${redact(error.message)}`);
    throw error;
  }
}
