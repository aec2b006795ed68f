import type { Row } from "./bench";

/** The rows as text in columns; numbers to the right. */
export function formatTable(columns: Readonly<Record<string, string>>, rows: readonly Row[]): string {
  const keys = Object.keys(columns);
  const cells = [
    keys.map((key) => columns[key] ?? ""),
    ...rows.map((row) => keys.map((key) => String(row[key] ?? "-"))),
  ];
  const widths = keys.map((_, at) => Math.max(...cells.map((line) => (line[at] ?? "").length)));
  const isNumber = keys.map((key) => rows.some((row) => typeof row[key] === "number"));
  return cells
    .map((line) =>
      line
        .map((cell, at) => (isNumber[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
