import { formatDuration } from "../duration";
import type { Step } from "./operation";

/** What a list of steps did. */
export interface Execution {
  /** One line each, as printed. */
  readonly operations: readonly string[];
  /**
   * The longest time in which nobody served, or less: it ends with the first good answer of the check. It begins when the old one
   * listens no more, which the host's own program sees; a stop that is asked for from here counts from its begin.
   */
  readonly gapMs: number;
  /** How long it waited for what has a time limit of its own: no part of the progressDeadline. */
  readonly waitedMs: number;
  /** How the last exchange by the host itself went; undefined when there was none. */
  readonly way?: "bridged" | "plain";
}

/** The gap as a part of a sentence. */
export function formatGap({ gapMs }: Pick<Execution, "gapMs">): string {
  return gapMs > 0 ? `nobody served for at most ${formatDuration(gapMs)}` : "without a gap";
}

/** Thrown when a step failed; everything that could be taken back was tried. */
export class StepFailure extends Error {
  readonly step: Step;
  /** Why, cleaned. */
  readonly why: string;
  /** What the container said for itself; may be empty. */
  readonly evidence: string;
  /** Why what was done could not be taken back; undefined when it was. */
  readonly undoFailure: string | undefined;
  /** True when live containers were touched and came back. */
  readonly interrupted: boolean;
  /** True when the step came after the point of no return. */
  readonly committed: boolean;
  /** What stands where a switch has not come to an end and nothing was taken back; undefined otherwise. */
  readonly leftInSwitch: string | undefined;
  readonly execution: Execution;

  constructor(fields: Omit<StepFailure, keyof Error>, cause: unknown) {
    super(fields.why, { cause });
    this.name = "StepFailure";
    this.step = fields.step;
    this.why = fields.why;
    this.evidence = fields.evidence;
    this.undoFailure = fields.undoFailure;
    this.interrupted = fields.interrupted;
    this.committed = fields.committed;
    this.leftInSwitch = fields.leftInSwitch;
    this.execution = fields.execution;
  }
}
