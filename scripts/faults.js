"use strict";

const path = require("node:path");
const { ROOT } = require("./setup/npm-packages.js");
const { prepare } = require("./setup/prepare.js");
const { stream } = require("./setup/run.js");
const { launch, SetupError } = require("./setup/say.js");

launch(async () => {
  const argv = process.argv.slice(2);
  const program = ["--import=tsx", path.join("test", "faults", "main.ts"), ...argv];
  if (argv.includes("--list")) return stream(process.execPath, program, { cwd: ROOT, env: process.env });
  const env = await prepare({ npm: true, pulumi: true, images: ["bookworm", "trixie"] });
  // the real CLI loads the package as its users do
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  if ((await stream(npm, ["run", "--silent", "build"], { cwd: ROOT, env })) !== 0)
    throw new SetupError("the build failed; its messages stand above");
  return stream(process.execPath, program, { cwd: ROOT, env });
});
