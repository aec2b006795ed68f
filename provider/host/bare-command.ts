import { SlipwayError, messageOf } from "../errors";
import type { Connection } from "./connection";
import { withLive } from "./pool";
import { orAborted } from "../or-aborted";
import type { WithHostOptions } from "./with-host-options";

/** A command on a server that is no machine of ours, and takes this very line only: nothing stands around it. */
export interface BareCommand {
  /** Standard output as it comes. @throws connection-lost */
  readonly output: AsyncIterable<Buffer>;
  write(bytes: Buffer): void;
  /** What it wrote on standard error so far, the beginning of it. */
  words(): string;
}

/** More than this of its complaints nobody reads. */
const MOST_WORDS = 8_000;

/**
 * Runs one line, as it is, on the process's connection to the server: the host key is looked at as for every host. The command
 * is ended when `use` has ended.
 * @throws SlipwayError as `withHost`
 */
export async function withBareCommand<T>(
  connection: Connection,
  options: WithHostOptions,
  line: string,
  use: (command: BareCommand) => Promise<T>,
): Promise<T> {
  return withLive(connection, options, async ({ transport }) => {
    const { signal } = options;
    let words = "";
    const opening = transport.exec(
      line,
      (channel) => {
        channel.on("error", () => {}); // a write after the other side closed; the output ends
        channel.stderr.on("error", () => {});
        channel.stderr.on("data", (piece: Buffer) => {
          if (words.length < MOST_WORDS) words += piece.toString();
        });
        return channel;
      },
      { signal },
    );
    opening.then((channel) => signal.aborted && channel.close()).catch(() => {});
    const channel = await orAborted(opening, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof SlipwayError) throw error;
      const why = `the server does not run it: ${messageOf(error)}`;
      throw new SlipwayError({
        code: "command-failed",
        what: `starting "${line}"`,
        host: transport.target,
        why,
      });
    });
    const stop = (): void => void channel.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await use({
        output: outputOf(),
        write: (bytes) => void channel.write(bytes),
        words: () => words,
      });
    } finally {
      signal.removeEventListener("abort", stop);
      channel.end();
      channel.close();
    }

    async function* outputOf(): AsyncGenerator<Buffer> {
      try {
        for await (const piece of channel) yield piece as Buffer;
      } catch (error) {
        signal.throwIfAborted();
        throw transport.lost(error);
      }
      signal.throwIfAborted();
      if (transport.closed.aborted) throw transport.lost();
    }
  });
}
