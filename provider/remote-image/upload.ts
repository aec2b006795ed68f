import { type Readable, Transform } from "node:stream";
import type { Log } from "../log";

/** How many bytes lie between two progress lines. */
const STEP_BYTES = 1024 * 1024;

/** How far a context is that goes in several streams. */
export interface Sent {
  /** Sent before this stream. */
  readonly bytes: number;
  /** Of how many in all, about. */
  readonly ofBytes: number;
}

/** The stream, with a progress line for every further megabyte that was sent. */
export function withProgress(source: Readable, before: Sent, log: Log): Readable {
  return counted(source, before.bytes, (sent) =>
    log.progress(
      `context: ${formatBytes(sent)} of about ${formatBytes(Math.max(before.ofBytes, sent))} sent`,
    ),
  );
}

/** The stream; `tell` hears of every further megabyte, of which `before` bytes went already. */
export function counted(source: Readable, before: number, tell: (bytes: number) => void): Readable {
  let sent = before;
  let said = sent;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      if (sent - said >= STEP_BYTES) {
        said = sent;
        tell(sent);
      }
      done(null, chunk);
    },
  });
  // the reader has to learn why the bytes end
  source.on("error", (error) => counter.destroy(error));
  counter.on("close", () => source.destroy());
  return source.pipe(counter);
}

/** Bytes as a person reads them: "512 B", "1.4 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
