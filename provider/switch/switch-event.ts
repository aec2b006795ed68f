/** One line of the program's log. */
export interface SwitchEvent {
  /** Since the program's start. */
  readonly atMs: number;
  /** `begun`, `ruled`, `drained`, `stopping`, `oldstopped`, `nextstarted`, `nextgated`, `unruled`, `copystopped`, `back`, `note`, `end`, … */
  readonly name: string;
  readonly text: string;
}

/** How the program ended. */
export type SwitchEnd =
  /** The new one serves on its own; the rules are gone, and the copy still answers what it took before. */
  | "switched"
  /** The old one serves; rules and copy are gone, the new one is stopped and left as it is. */
  | "kept"
  /** The conditions did not hold. Nothing was stopped, no rule stands; the copy is left. */
  | "plain-instead"
  /** Neither serves on its own. While the copy lives it serves, behind the rules, and the program watches them. */
  | "stuck";

export interface SwitchResult {
  /** `unknown`: the connection was lost, or the program's log ended without an end. The host has to be looked at again. */
  readonly kind: SwitchEnd | "unknown";
  readonly why: string;
  /** How long nobody served. */
  readonly gapMs: number;
  readonly events: readonly SwitchEvent[];
}

const ENDS: readonly SwitchEnd[] = ["switched", "kept", "plain-instead", "stuck"];

/** One line of the log; undefined for what is none. */
export function parseEvent(line: string): SwitchEvent | undefined {
  const match = /^(\d+) ([a-z]+)(?: (.*))?$/.exec(line);
  if (match === null) return undefined;
  return { atMs: Number(match[1]), name: match[2] ?? "", text: match[3] ?? "" };
}

/** What the log says in the end. */
export function resultOf(events: readonly SwitchEvent[], otherwise: string): SwitchResult {
  const last = events.findLast(({ name }) => name === "end");
  const match = /^(\S+) (\d+) ?(.*)$/.exec(last?.text ?? "");
  const kind = ENDS.find((each) => each === match?.[1]);
  if (match === null || kind === undefined) return { kind: "unknown", why: otherwise, gapMs: 0, events };
  return { kind, why: match[3] ?? "", gapMs: Number(match[2]), events };
}
