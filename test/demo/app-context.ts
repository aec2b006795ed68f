import { chmodSync, copyFileSync, cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { REPOSITORY } from "../support/pulumi-project";

/** A copy of the example's build context in a temporary folder; with a static busybox it is built without any registry. */
export function appContext(busybox?: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "slipway-app-"));
  cpSync(path.join(REPOSITORY, "examples/rolling-web/app"), folder, { recursive: true });
  if (busybox !== undefined) {
    copyFileSync(busybox, path.join(folder, "busybox"));
    chmodSync(path.join(folder, "busybox"), 0o755);
  }
  return folder;
}
