/** A submodule as .gitmodules names it. */
export interface SubmoduleEntry {
  readonly url: string;
  /** `update = none`: git leaves its folder empty. */
  readonly isLeftOut: boolean;
}

/** Reads .gitmodules: submodules by their path. What cannot be read as git's configuration is passed over. */
export function parseGitModules(text: string): ReadonlyMap<string, SubmoduleEntry> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const line of text.replaceAll(/\\\r?\n/g, "").split(/\r?\n/)) {
    const head = /^\s*\[\s*submodule\s+"((?:[^"\\]|\\.)*)"\s*\]/i.exec(line);
    if (head !== null) {
      const name = head[1] ?? "";
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
    } else if (/^\s*\[/.test(line)) {
      section = undefined;
    } else {
      const [, key = "", value = ""] = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key !== "") section?.set(key.toLowerCase(), unquoted(value));
    }
  }
  const found = new Map<string, SubmoduleEntry>();
  for (const values of sections.values()) {
    const path = values.get("path")?.replace(/\/+$/, "");
    const url = values.get("url");
    if (path !== undefined && url !== undefined)
      found.set(path, { url, isLeftOut: values.get("update") === "none" });
  }
  return found;
}

/** A value without its quotes, comment and escapes. */
function unquoted(value: string): string {
  let text = "";
  let isQuoted = false;
  let kept = 0;
  for (let at = 0; at < value.length; at++) {
    const each = value[at] ?? "";
    if (each === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (each === "#" || each === ";")) break;
    else if (each === "\\") {
      const next = value[++at] ?? "";
      text += next === "n" ? "\n" : next === "t" ? "\t" : next;
    } else text += each;
    if (isQuoted || !/\s/.test(each)) kept = text.length;
  }
  return text.slice(0, kept);
}
