import { SlipwayError } from "../../errors";
import { withBareCommand } from "../../host/bare-command";
import { stripControl } from "../../secret";
import { readAdvertisement } from "./advertisement";
import { sshConnection } from "./git-auth";
import { refused, wordsOf } from "./git-error";
import { remoteText, type SshRemote } from "./git-remote";
import type { GitAccess, GitTalk } from "./git-talk";
import { FLUSH, PacketError, PacketReader } from "./pkt-line";

/** Talks with `git-upload-pack` on the server, over a connection that goes by the rules of every other one. */
export function withSsh<T>(
  remote: SshRemote,
  access: GitAccess,
  use: (talk: GitTalk) => Promise<T>,
): Promise<T> {
  const repository = remoteText(remote);
  const connection = sshConnection(remote, access.auth);
  const line = uploadPackLine(remote.path);
  return withBareCommand(connection, { ...access.context, signal: access.signal }, line, async (command) => {
    const reader = new PacketReader(command.output);
    const talk = { isAsked: false };
    try {
      const advertisement = await readAdvertisement(reader);
      return await use({
        advertisement,
        ask(request) {
          talk.isAsked = true;
          command.write(request);
          return Promise.resolve(reader);
        },
      });
    } catch (error) {
      access.signal.throwIfAborted();
      if (talk.isAsked || !(error instanceof PacketError)) throw error;
      const words = access.redact(wordsOf(stripControl(command.words())));
      if (words === "") throw refused(repository, `the server ${error.message}`);
      throw refused(
        repository,
        `the server says: ${words}`,
        "Look whether it is there, and whether this key may read it",
      );
    } finally {
      if (!talk.isAsked) command.write(FLUSH); // a farewell: it would complain of a line that was cut
    }
  });
}

/** Just as git's own client says it: the servers of the great forges take nothing else. */
export function uploadPackLine(path: string): string {
  return `git-upload-pack '${path.replaceAll(/['!]/g, (each) => `'\\${each}'`)}'`;
}

/** The errors of an ssh connection after which the server may well answer another time. */
export function isLineFailure(error: unknown): boolean {
  return error instanceof SlipwayError && ["dial-failed", "connection-lost"].includes(error.code);
}
