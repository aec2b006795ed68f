import { homedir } from "node:os";

/** `~` and `~/…` as the home folder; nothing else is expanded. */
export function expandHome(path: string, home = homedir()): string {
  return path === "~" || path.startsWith("~/") ? home + path.slice(1) : path;
}
