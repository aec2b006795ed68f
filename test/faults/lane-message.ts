import type { Verdict } from "./matrix";

/** What the suite tells a lane. */
export type LaneOrder = { readonly kind: "run"; readonly name: string } | { readonly kind: "end" };

/** What a lane says. */
export type LaneReport =
  /** Its host stands: from here on the case's time runs. */
  | { readonly kind: "began" }
  /** `log`: what was logged last, when the case broke. */
  | { readonly kind: "verdict"; readonly verdict: Verdict; readonly log: string };
