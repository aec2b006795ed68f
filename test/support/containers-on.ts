import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";

/** Each container's name and state, sorted; a copy that still answers what it took is waited for. */
export async function containersOn(host: LabHost): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  await until("every copy to have answered what it took", async () => {
    const printed = await host.must(["docker", "ps", "-a", "--format", "{{.Names}} {{.State}}"]);
    lines = printed.split("\n").sort();
    return lines.every((line) => !line.includes(".try "));
  });
  return lines;
}
