"use strict";

const path = require("node:path");
const { ROOT } = require("./setup/npm-packages.js");
const { prepare } = require("./setup/prepare.js");
const { stream } = require("./setup/run.js");
const { launch } = require("./setup/say.js");

launch(async () => {
  const args = process.argv.slice(2);
  const suite = args[0] === "up" ? [args[2] === "trixie" ? "trixie" : "bookworm"] : [];
  const env = await prepare({ npm: true, docker: true, images: suite });
  return stream(process.execPath, ["--import=tsx", path.join("test", "lab", "cli.ts"), ...args], {
    cwd: ROOT,
    env,
  });
});
