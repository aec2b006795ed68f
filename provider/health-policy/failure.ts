import { SlipwayError } from "../errors";
import { nameOf } from "./plan";
import type { Repaired } from "./repaired";

/** The error for containers that stay unhealthy; undefined when there are none. The first makes the sentence. */
export function unhealthyError(repaired: readonly Repaired[]): SlipwayError | undefined {
  const [first, ...others] = repaired.filter(({ health, excused }) => health === "unhealthy" && !excused);
  if (first === undefined) return undefined;
  const { container, target, cause } = first.subject;
  const { restartedAt, output, gaveUp } = first;
  // who is given up says itself after how many
  const tries =
    restartedAt.length === 0 || gaveUp ? undefined : `after ${count(restartedAt.length, "restart")}`;
  const rest = others.map((each) => `${nameOf(each.subject)}: ${each.reason}`);
  const evidence = [
    ...(output === "" ? [] : [output]),
    ...(rest.length === 0 ? [] : ["Unhealthy too:", ...rest]),
  ];
  return new SlipwayError({
    code: "unhealthy",
    what: `"${container.name}" stays unhealthy`,
    host: target,
    // what was not touched is told of with what is wrong with it
    why: restartedAt.length === 0 && cause !== first.reason ? `${cause}; ${first.reason}` : first.reason,
    after: tries,
    left: `It is ${first.container?.state ?? "gone"}; healthy containers were not touched`,
    next: `Look at its log on the host (docker logs ${container.name}), then run pulumi up again${gaveUp ? ": it is restarted again when its restarts are out of the window" : ""}`,
    evidence: evidence.join("\n"),
  });
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
