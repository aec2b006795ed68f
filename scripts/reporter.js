"use strict";

const fs = require("node:fs");
const { reporters } = require("mocha");

/** Lines of a failure's own account that stand in the sum: its message, and where it was thrown. */
const LINES = 12;

/** Mocha's spec output on the terminal, and the counts and failures in a file: what runs several layers adds them up. */
class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOptions?.counts ?? options.reporterOption?.counts;
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const failed = this.failures.map((test) => `${test.fullTitle()}\n${account(test.err)}`);
      fs.writeFileSync(
        file,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending, failures: failed }),
      );
    });
  }
}

/** What a test says of its failure, indented; a failed test always has an error, but not always one with a stack. */
function account(error) {
  const text = String(error?.stack ?? error?.message ?? error);
  return text
    .split("\n")
    .slice(0, LINES)
    .map((line) => `    ${line}`)
    .join("\n");
}

module.exports = CountingReporter;
