import { StringDecoder } from "node:string_decoder";

/** How much of each output stream is kept in memory: the last bytes. */
export const OUTPUT_CAP = 8 * 1024 * 1024;

/**
 * One output stream of a remote command: what comes before the marker is the login shell's noise, what comes after is
 * the command's. Keeps the tail, and hands on whole lines as they arrive.
 */
export class FramedOutput {
  /** True once the marker was seen: the command has started. */
  started = false;
  private readonly marker: Buffer;
  private readonly onLine: ((line: string) => void) | undefined;
  private readonly onBytes: ((chunk: Buffer) => void) | undefined;
  private noiseBytes: Buffer = Buffer.alloc(0);
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private readonly decoder = new StringDecoder("utf8");
  private line = "";

  /** Where `onBytes` gets what the command writes, nothing is kept, and no line is handed on. */
  constructor(marker: string, onLine?: (line: string) => void, onBytes?: (chunk: Buffer) => void) {
    this.marker = Buffer.from(marker);
    this.onLine = onLine;
    this.onBytes = onBytes;
  }

  push(chunk: Buffer): void {
    if (this.started) return this.keep(chunk);
    const all = Buffer.concat([this.noiseBytes, chunk]);
    const at = all.indexOf(this.marker);
    if (at === -1) {
      this.noiseBytes = all.subarray(-64 * 1024);
      return;
    }
    this.started = true;
    this.noiseBytes = all.subarray(0, at);
    this.keep(all.subarray(at + this.marker.length));
  }

  /** Hands on the last line, when it had no line feed. */
  end(): void {
    if (this.line !== "") this.onLine?.(this.line);
    this.line = "";
  }

  /** What the command wrote, or its last OUTPUT_CAP bytes. */
  text(): string {
    return this.bytes().toString("utf8");
  }

  /** As `text`, but not decoded. */
  bytes(): Buffer {
    return Buffer.concat(this.chunks).subarray(-OUTPUT_CAP);
  }

  /** What came before the command started: MOTD, login files, sudo's own words. */
  noise(): string {
    return this.noiseBytes.toString("utf8");
  }

  private keep(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.onBytes !== undefined) return this.onBytes(chunk);
    this.chunks.push(chunk);
    this.size += chunk.length;
    for (
      let first = this.chunks[0];
      first && this.size - first.length >= OUTPUT_CAP;
      first = this.chunks[0]
    ) {
      this.chunks.shift();
      this.size -= first.length;
    }
    if (this.onLine === undefined) return;
    const lines = (this.line + this.decoder.write(chunk)).split("\n");
    this.line = (lines.pop() ?? "").slice(-OUTPUT_CAP);
    for (const line of lines) this.onLine(line);
  }
}
