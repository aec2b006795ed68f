import type { SwitchResult } from "../switch/switch-event";

/** A switch that did not come to a good end, as what was thrown. */
export class SwitchFailure extends Error {
  readonly end: Exclude<SwitchResult["kind"], "switched">;
  /** True while the copy serves, behind rules that the program watches. */
  readonly isServed: boolean;

  constructor({ kind, why, events }: SwitchResult) {
    super(why);
    this.name = "SwitchFailure";
    this.end = kind === "switched" ? "unknown" : kind;
    const names = new Set(events.map(({ name }) => name));
    this.isServed = names.has("ruled") && !names.has("unruled") && !names.has("copydied");
  }
}

/** What stands where a switch neither went forward nor back; undefined where the old one serves. */
export function formatLeftInSwitch({ end, isServed }: SwitchFailure): string | undefined {
  switch (end) {
    case "kept":
    case "plain-instead":
      return undefined;
    case "stuck":
      return isServed
        ? "The copy of the new version serves, behind rules of the host that a program there watches; neither the old nor the new container does"
        : "Nobody serves: neither the old nor the new container does; a program on the host goes on trying";
    case "unknown":
      return "The program on the host ends the switch by itself, forward or back, and what serves then is seen by the next run";
  }
}
