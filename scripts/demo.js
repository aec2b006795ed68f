"use strict";

const path = require("node:path");
const { ROOT } = require("./setup/npm-packages.js");
const { prepare } = require("./setup/prepare.js");
const { stream } = require("./setup/run.js");
const { launch, say, SetupError } = require("./setup/say.js");

const SUITES = ["bookworm", "trixie"];

launch(async () => {
  const args = process.argv.slice(2);
  // A host of the user's own needs no lab: the demo then touches no Docker on this machine.
  const images = args.some((arg) => arg === "--host" || arg.startsWith("--host=")) ? [] : SUITES;
  const env = await prepare({ npm: true, pulumi: true, images });
  say("build: tsc (a few seconds)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  if ((await stream(npm, ["run", "--silent", "build"], { cwd: ROOT, env })) !== 0) {
    throw new SetupError("the build failed; its messages stand above");
  }
  return stream(process.execPath, ["--import=tsx", path.join("test", "demo", "main.ts"), ...args], {
    cwd: ROOT,
    env,
  });
});
