import assert from "node:assert/strict";
import { SWITCH_PROGRAM } from "../../provider/switch/program";

/** The program, made to do something once when it comes to a point of its way. */
export function actAt(point: string, act: string): string {
  const once = `[ "$1" != ${point} ] || [ -e "$DIR/done" ] || { : >"$DIR/done"; ${act}; }`;
  const changed = SWITCH_PROGRAM.replace(/^(at\(\) \{.*)\}$/m, (_line, body: string) => `${body} ${once}; }`);
  assert.notEqual(changed, SWITCH_PROGRAM, "the program has a function at()");
  return changed;
}
