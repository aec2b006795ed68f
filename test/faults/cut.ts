/**
 * The point of a run that a log line stands for: `after <operation>` when the debug log says that it has ended, `before
 * <operation>` when the display says that it begins, `switch <event>` when the host-side program said so. The service is
 * called `web` in it, revisions `REVISION`, host ports `PORT`.
 */
export function cutOf(level: string, text: string, service: string): string | undefined {
  const words = text
    .replaceAll(service, "web")
    .replace(/\b(web(?:-\d+)?[.-])[0-9a-f]{8}\b/g, "$1REVISION")
    .replace(/\bports [^ ]+/, "ports PORT");
  if (level === "progress") {
    const begins = /^(.*?) \([^()]*(?:\([^()]*\)[^()]*)*\)$/.exec(words);
    return begins === null ? undefined : `before ${begins[1] ?? ""}`;
  }
  if (level !== "debug") return undefined;
  const event = / switch of "web": \d+ (\S+)/.exec(words);
  if (event !== null) return `switch ${event[1] ?? ""}`;
  const ended = /^(.*): [\d.]+ ?(?:ms|s|m|h)[\d.msh ]*$/.exec(words);
  return ended === null ? undefined : `after ${ended[1] ?? ""}`;
}
