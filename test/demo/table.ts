/** One row of the demo's closing table. */
export interface DemoStep {
  readonly name: string;
  readonly seen: string;
  readonly seconds: number;
  readonly passed: boolean;
}

/** The steps as an aligned table for the terminal. */
export function formatSteps(steps: readonly DemoStep[]): string {
  const head = ["", "step", "seen on the host", "time"];
  const rows = steps.map((step) => [
    step.passed ? "ok" : "FAILED",
    step.name,
    (step.seen.split("\n")[0] ?? "").slice(0, 160),
    `${step.seconds.toFixed(1)} s`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
