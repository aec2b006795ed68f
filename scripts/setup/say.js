"use strict";

/**
 * One line of progress, on stderr: stdout belongs to what the command itself has to say.
 * @param {string} line
 */
function say(line) {
  process.stderr.write(`slipway: ${line}\n`);
}

/** A failure that needs no stack trace: the message says what is wrong and what to do. */
class SetupError extends Error {
  /**
   * @param {string} message
   * @param {{cause?: unknown}} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = "SetupError";
  }
}

/**
 * Runs the main function of a launcher and turns its result into the exit code.
 * @param {() => Promise<number>} main
 */
function launch(main) {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      const known = error instanceof SetupError && !process.env.SLIPWAY_DEBUG;
      process.stderr.write(`slipway: ${known ? error.message : (error?.stack ?? error)}\n`);
      process.exitCode = 1;
    },
  );
}

module.exports = { say, SetupError, launch };
