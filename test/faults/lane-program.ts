import { CASES } from "./all-cases";
import type { LaneOrder, LaneReport } from "./lane-message";
import { Sites } from "./run-case";

/** A process with lab hosts of its own, which runs one case after another as it is told. */
const sites = new Sites();

async function obey(order: LaneOrder): Promise<void> {
  if (order.kind === "end") {
    await sites.dispose();
    process.exit(0);
  }
  const fault = CASES.find(({ name }) => name === order.name);
  if (fault === undefined) throw new Error(`there is no case "${order.name}"`);
  const { verdict, log } = await sites.run(fault, () => tell({ kind: "began" }));
  tell({ kind: "verdict", verdict, log });
}

function tell(report: LaneReport): void {
  process.send?.(report);
}

process.on("message", (order: LaneOrder) => {
  obey(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
// whoever started it is gone: its hosts go with it
process.once("disconnect", () => process.exit(1));
