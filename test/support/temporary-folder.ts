import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A folder that a test fills and removes. */
export class TemporaryFolder {
  readonly path = mkdtempSync(path.join(tmpdir(), "slipway-test-"));

  /** Writes a file, its folders included. */
  file(name: string, content: string, mode = 0o644): this {
    const absolute = path.join(this.path, name);
    mkdirSync(path.dirname(absolute), { recursive: true });
    writeFileSync(absolute, content);
    chmodSync(absolute, mode);
    return this;
  }

  link(name: string, target: string): this {
    symlinkSync(target, path.join(this.path, name));
    return this;
  }

  drop(name: string): this {
    rmSync(path.join(this.path, name), { force: true });
    return this;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
