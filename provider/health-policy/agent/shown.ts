import { stripControl } from "../../secret";
import { isObject } from "../../values";
import type { Ledger } from "../budget";
import type { AgentEvent } from "../resource";
import { MARK } from "./install-script";
import { parseLedger } from "./settings";

/** What a host shows of its agent. */
export interface ShownAgent {
  readonly version: string;
  readonly runs: boolean;
  readonly ledger: Ledger;
  /** Since the last up, the oldest first. */
  readonly events: readonly Omit<AgentEvent, "host">[];
}

const MOST_EVENTS = 50;
const LONGEST_TEXT = 300;
const KINDS = ["restarted", "failed", "gave-up", "recovered", "mass", "unhealthy"] as const;

/** Reads what SHOW_AGENT printed; undefined when there is no agent. */
export function parseShownAgent(text: string): ShownAgent | undefined {
  const parts = new Map(
    text
      .split(new RegExp(`^${MARK}`, "m"))
      .slice(1)
      .map((part): readonly [string, string] => {
        const end = part.indexOf("\n");
        const [name = "", ...rest] = part.slice(0, end).split(" ");
        return [name, rest.join(" ") + part.slice(end)];
      }),
  );
  const version = parts.get("version");
  if (version === undefined) return undefined;
  const lines = (parts.get("log") ?? "").split("\n").filter((line) => line !== "");
  return {
    version: version.trim(),
    runs: parts.has("runs"),
    ledger: parseLedger(parts.get("ledger") ?? ""),
    events: lines.flatMap(readEvent).slice(-MOST_EVENTS),
  };
}

/** A line that is none of the agent's is left out: a power cut can leave half a one. */
function readEvent(line: string): readonly Omit<AgentEvent, "host">[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  if (!isObject(value)) return [];
  const { at, event, container, restarts, why } = value;
  const kind = KINDS.find((each) => each === event);
  if (kind === undefined || typeof container !== "string") return [];
  return [
    {
      at: clean(at),
      event: kind,
      container: clean(container),
      restarts: typeof restarts === "number" ? restarts : 0,
      why: clean(why),
    },
  ];
}

function clean(text: unknown): string {
  return typeof text === "string" ? stripControl(text).replace(/\s+/g, " ").slice(0, LONGEST_TEXT) : "";
}
