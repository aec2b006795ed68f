import { type Readable, Transform } from "node:stream";
import type { Log } from "../log";

/** How many bytes lie between two progress lines. */
const STEP_BYTES = 1024 * 1024;

/** The stream, with a progress line for every further megabyte that was sent. `totalBytes` are those of the files. */
export function withProgress(source: Readable, totalBytes: number, log: Log): Readable {
  let sent = 0;
  let said = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      if (sent - said >= STEP_BYTES) {
        said = sent;
        log.progress(
          `context: ${formatBytes(sent)} of about ${formatBytes(Math.max(totalBytes, sent))} sent`,
        );
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
