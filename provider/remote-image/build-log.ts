import { LayerProgress } from "./layer-progress";
import { type Redact, stripControl, tail } from "../secret";
import { isObject } from "../values";

/** Lines shown with a failed build. */
const SHOWN = 20;
/** Lines kept while it runs. */
const KEPT = 400;

/** What a build said about its end. */
export interface BuildVerdict {
  /** The step that failed, or the last one begun. */
  readonly step: string | undefined;
  /** The builder's own error; undefined when it told none. */
  readonly error: string | undefined;
  /** The last lines. */
  readonly tail: string;
}

/** Where cleaned lines go: each step's beginning and each line of output. */
export type ShowLine = (line: string) => void;

/** What both kinds of build log keep: cleaned last lines, the step, the error. */
class LogMemory {
  private readonly redact: Redact;
  readonly show: ShowLine;
  private readonly lines: string[] = [];
  step: string | undefined;
  error: string | undefined;

  constructor(redact: Redact, show: ShowLine) {
    this.redact = redact;
    this.show = show;
  }

  clean(text: string): string {
    return this.redact(stripControl(text)).trimEnd();
  }

  line(cleaned: string, shown = true): void {
    if (cleaned.trim() === "") return;
    this.lines.push(cleaned);
    if (this.lines.length > KEPT) this.lines.shift();
    if (shown) this.show(cleaned);
  }

  verdict(): BuildVerdict {
    return { step: this.step, error: this.error, tail: tail(this.lines.join("\n"), SHOWN) };
  }
}

/** The classic builder's answer: JSON objects, one a line, in pieces of any size. */
export class ClassicLog {
  private readonly memory: LogMemory;
  private rest = "";

  constructor(redact: Redact, show: ShowLine) {
    this.memory = new LogMemory(redact, show);
  }

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.message(line);
  }

  end(): BuildVerdict {
    this.message(this.rest);
    this.rest = "";
    return this.memory.verdict();
  }

  private message(json: string): void {
    if (json.trim() === "") return;
    const message = parseJson(json);
    if (!isObject(message)) return;
    const { memory } = this;
    if (typeof message.stream === "string") {
      for (const line of memory.clean(message.stream).split("\n")) {
        if (/^Step \d+\/\d+ : /.test(line)) memory.step = line;
        memory.line(line);
      }
    }
    if (typeof message.status === "string") memory.line(memory.clean(statusLine(message)));
    if (typeof message.error === "string") memory.error = memory.clean(message.error);
  }
}

/** What the docker command writes of a classic build; what it says last, when it failed, is why. */
export class ClassicTextLog {
  private readonly memory: LogMemory;
  private last: string | undefined;

  constructor(redact: Redact, show: ShowLine) {
    this.memory = new LogMemory(redact, show);
  }

  line(text: string): void {
    const cleaned = this.memory.clean(text);
    if (/^Step \d+\/\d+ : /.test(cleaned)) this.memory.step = cleaned;
    if (cleaned.trim() !== "") this.last = cleaned;
    this.memory.line(cleaned);
  }

  end(): BuildVerdict {
    return { ...this.memory.verdict(), error: this.last };
  }
}

/** BuildKit's plain progress: `#5 [2/3] RUN make`, `#5 0.31 output`, `#5 ERROR: …`. */
export class BuildKitLog {
  private readonly memory: LogMemory;
  private readonly titles = new Map<string, string>();
  private readonly loading = new Map<string, LayerProgress>();

  constructor(redact: Redact, show: ShowLine) {
    this.memory = new LogMemory(redact, show);
  }

  line(text: string): void {
    const { memory, titles } = this;
    const [cleaned = "", ...over] = memory.clean(text).split("\n");
    const [, id = "", begun = ""] = /^#(\d+) (.*)$/.exec(cleaned) ?? [];
    // of a line that a step writes over by carriage returns, as a progress bar, what it is in the end
    const said = over.filter((each) => each.trim() !== "").at(-1) ?? begun;
    if (id === "") {
      const failure = /^ERROR: (?:failed to solve: )?(.*)$/.exec(cleaned);
      if (failure !== null) memory.error ??= failure[1] ?? "";
      return;
    }
    if (said.startsWith("ERROR: ")) {
      memory.error = said.slice("ERROR: ".length);
      memory.step = titles.get(id);
      memory.line(said, false);
    } else if (said.startsWith("[") || said.startsWith("resolve image config for ")) {
      const begun = !titles.has(id);
      titles.set(id, said);
      if (memory.error === undefined) memory.step = said;
      if (begun) memory.line(said);
    } else if (said === "CACHED") {
      memory.line(`${titles.get(id) ?? ""} (cached)`);
    } else if (said.startsWith("sha256:")) {
      const layers = this.loading.get(id) ?? new LayerProgress();
      this.loading.set(id, layers);
      const percent = layers.percent(said);
      if (percent !== undefined) memory.show(`${titles.get(id) ?? ""}: ${percent} %`);
    } else if (!/^(?:DONE|transferring|\.\.\.)/.test(said)) {
      memory.line(said.replace(/^\d+\.\d+ /, ""));
    }
  }

  end(): BuildVerdict {
    return this.memory.verdict();
  }
}

function statusLine(message: Record<string, unknown>): string {
  // without the bar, which changes many times a second
  const id = typeof message.id === "string" ? `${message.id}: ` : "";
  return isObject(message.progressDetail) && Object.keys(message.progressDetail).length > 0
    ? ""
    : `${id}${String(message.status)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a line cut off: the end of the stream tells what it meant
  }
}
