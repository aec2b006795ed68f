import assert from "node:assert/strict";
import type { ReportRow } from "../../../provider/health-policy/report";
import { formatTable } from "../../../provider/health-policy/table";

function row(name: string, more: Partial<ReportRow> & { readonly health?: "healthy" | "unhealthy" } = {}) {
  const { health = "healthy", ...rest } = more;
  const report = { host: "a", name, image: "web:1", state: "running", health } as const;
  return { report, failingStreak: 0, restarts: 0, reason: "", output: "", ...rest };
}

describe("the table of a HealthPolicy", () => {
  it("must show what is not well first, with why and its last words", () => {
    const sick = row("web-2", {
      health: "unhealthy",
      failingStreak: 4,
      restarts: 1,
      reason: "its HEALTHCHECK fails; given up after 3 restarts within 10m",
      output: "Its check said:\n  status 503\n",
    });
    assert.equal(
      formatTable([row("web"), sick]),
      [
        "HOST  CONTAINER  STATE    HEALTH     STREAK  RESTARTS  IMAGE  REVISION",
        "a     web-2      running  unhealthy  4       1         web:1",
        "    its HEALTHCHECK fails; given up after 3 restarts within 10m",
        "    Its check said:",
        "      status 503",
        "a     web        running  healthy            0         web:1",
      ].join("\n"),
    );
  });

  it("must be cut where there are many, never what is not well", () => {
    const rows = [
      ...Array.from({ length: 199 }, (_, at) => row(`web-${at}`)),
      row("sick", { health: "unhealthy" }),
    ];
    const lines = formatTable(rows).split("\n");
    assert.equal(lines.length, 42);
    assert.match(lines[1] ?? "", /sick/);
    assert.equal(lines.at(-1), "and 160 more: 160 healthy");
  });

  it("must not let a name or an image of the host move the cursor", () => {
    const { report, ...rest } = row("web");
    const text = formatTable([{ ...rest, report: { ...report, image: "x\u001b[2J\ny" } }]);
    assert.match(text, / x y$/);
    assert.doesNotMatch(text, /\u001b/);
  });
});
