import { homedir } from "node:os";
import path from "node:path";

/** A folder of ours in the user's cache folder; it need not be there. */
export function userCache(name: string): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base =
    process.platform === "win32"
      ? LOCALAPPDATA
      : XDG_CACHE_HOME || path.join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache");
  return path.join(base ?? homedir(), "slipway", name);
}
