import { stripControl, tail } from "../secret";
import type { ReportRow } from "./report";

/** So many lines are read; those that are well come last, and are counted where there are more. */
const MOST_ROWS = 40;
const LONGEST_CELL = 60;
const HEADINGS = ["HOST", "CONTAINER", "STATE", "HEALTH", "STREAK", "RESTARTS", "IMAGE", "REVISION"] as const;
/** The worst first. */
const ORDER = ["unhealthy", "starting", "unchecked", "healthy"] as const;

/** The report as a person reads it: a line a container, and below one that is not well why, and its last words. */
export function formatTable(rows: readonly ReportRow[]): string {
  const sorted = [...rows].sort((a, b) => ORDER.indexOf(a.report.health) - ORDER.indexOf(b.report.health));
  const shown = sorted.slice(0, MOST_ROWS);
  const lines = shown.map(cellsOf);
  const widths = HEADINGS.map((heading, at) =>
    Math.max(heading.length, ...lines.map((line) => line[at]?.length ?? 0)),
  );
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  const rest = rows.length - shown.length;
  return [
    format(HEADINGS),
    ...shown.flatMap((row, at) => [format(lines[at] ?? []), ...wordsOf(row)]),
    ...(rest === 0 ? [] : [`and ${rest} more: ${countsIn(sorted.slice(MOST_ROWS))}`]),
  ].join("\n");
}

function cellsOf({ report, failingStreak, restarts }: ReportRow): readonly string[] {
  const { host, name, state, health, image, revision = "" } = report;
  const streak = health === "unhealthy" || failingStreak > 0 ? String(failingStreak) : "";
  return [host, name, state, health, streak, String(restarts ?? ""), image, revision].map(cell);
}

function wordsOf({ reason, output, report }: ReportRow): readonly string[] {
  if (report.health === "healthy") return [];
  const lines = [...(reason === "" ? [] : [reason]), ...tail(output, 10, 1_000).split("\n")];
  return lines.filter((line) => line.trim() !== "").map((line) => `    ${line}`);
}

function countsIn(rows: readonly ReportRow[]): string {
  return ORDER.map((health) => ({
    health,
    count: rows.filter(({ report }) => report.health === health).length,
  }))
    .filter(({ count }) => count > 0)
    .map(({ health, count }) => `${count} ${health}`)
    .join(", ");
}

/** Images and names are the host's words. */
function cell(text: string): string {
  const clean = stripControl(text).replace(/\s+/g, " ");
  return clean.length > LONGEST_CELL ? `${clean.slice(0, LONGEST_CELL - 1)}…` : clean;
}
