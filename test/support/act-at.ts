import assert from "node:assert/strict";
import { SWITCH_PROGRAM } from "../../provider/switch/program";

/** The program, made to do something once when it comes to a point of its way. */
export function actAt(point: string, act: string, program = SWITCH_PROGRAM): string {
  const done = `"$DIR/done-${point}"`;
  const once = `[ "$1" != ${point} ] || [ -e ${done} ] || { : >${done}; ${act}; }`;
  const changed = program.replace(/^(at\(\) \{.*)\}$/m, (_line, body: string) => `${body} ${once}; }`);
  assert.notEqual(changed, program, "the program has a function at()");
  return changed;
}
