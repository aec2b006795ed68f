"use strict";

const path = require("node:path");
const { ROOT } = require("./setup/npm-packages.js");
const { prepare } = require("./setup/prepare.js");
const { stream } = require("./setup/run.js");
const { launch } = require("./setup/say.js");

launch(async () => {
  const env = await prepare({ npm: true, docker: true, images: ["bookworm", "trixie"] });
  const args = ["--import=tsx", path.join("bench", "main.ts"), ...process.argv.slice(2)];
  return stream(process.execPath, args, { cwd: ROOT, env });
});
