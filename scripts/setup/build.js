"use strict";

const { ROOT } = require("./npm-packages.js");
const { stream } = require("./run.js");
const { say, SetupError } = require("./say.js");

/**
 * Compiles the package, which programs of the Pulumi CLI run.
 * @param {NodeJS.ProcessEnv} env
 */
async function build(env) {
  say("build: tsc (a few seconds)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const code = await stream(npm, ["run", "--silent", "build"], { cwd: ROOT, env });
  if (code !== 0) throw new SetupError("the build failed; its messages stand above");
}

module.exports = { build };
