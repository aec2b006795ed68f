import { SlipwayError } from "../errors";
import type { Repaired } from "./execute";
import { nameOf } from "./plan";

/** The error for containers that stay unhealthy; undefined when there are none. The first makes the sentence. */
export function unhealthyError(repaired: readonly Repaired[]): SlipwayError | undefined {
  const [first, ...others] = repaired.filter(({ health, excused }) => health === "unhealthy" && !excused);
  if (first === undefined) return undefined;
  const { container, target } = first.subject;
  const tries = first.restarts === 0 ? undefined : `after ${count(first.restarts, "restart")}`;
  const rest = others.map((each) => `${nameOf(each.subject)}: ${each.reason}`);
  const evidence = [
    ...(first.output === "" ? [] : ["The last output of its check:", first.output]),
    ...(rest.length === 0 ? [] : ["Unhealthy too:", ...rest]),
  ];
  return new SlipwayError({
    code: "unhealthy",
    what: `"${container.name}" stays unhealthy`,
    host: target,
    why: first.reason,
    after: tries,
    left: `It is ${first.container?.state ?? "gone"}; healthy containers were not touched`,
    next: `Look at its log on the host (docker logs ${container.name}), then run pulumi up again`,
    evidence: evidence.join("\n"),
  });
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
