"use strict";

const path = require("node:path");
const { build } = require("./setup/build.js");
const { ROOT } = require("./setup/npm-packages.js");
const { prepare } = require("./setup/prepare.js");
const { stream } = require("./setup/run.js");
const { launch } = require("./setup/say.js");

launch(async () => {
  // this one runs programs with the Pulumi CLI
  const pulumi = process.argv.includes("engine");
  const env = await prepare({ npm: true, pulumi, docker: true, images: ["bookworm", "trixie"] });
  if (pulumi) await build(env);
  const args = ["--import=tsx", path.join("bench", "main.ts"), ...process.argv.slice(2)];
  return stream(process.execPath, args, { cwd: ROOT, env });
});
