"use strict";

const fs = require("node:fs");
const { reporters } = require("mocha");

/** Mocha's spec output on the terminal, and the counts in a file: what runs several layers adds them up. */
class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOptions?.counts ?? options.reporterOption?.counts;
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      fs.writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  }
}

module.exports = CountingReporter;
