"use strict";

const fs = require("node:fs");
const os = require("node:os");
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
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-built-"));
  try {
    await buildInto(copy, env);
    const own = { ...env, SLIPWAY_PACKAGES: path.join(copy, "node_modules") };
    return await stream(process.execPath, program, { cwd: ROOT, env: own });
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
});

/**
 * The real CLI loads the package as its users do, from a copy of its own: another build meanwhile does not touch this run.
 * @param {string} copy
 * @param {NodeJS.ProcessEnv} env
 */
async function buildInto(copy, env) {
  const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", "tsconfig.build.json", "--outDir", path.join(copy, "dist")];
  if ((await stream(process.execPath, args, { cwd: ROOT, env })) !== 0)
    throw new SetupError("the build failed; its messages stand above");
  fs.copyFileSync(path.join(ROOT, "package.json"), path.join(copy, "package.json"));
  const packages = path.join(ROOT, "node_modules");
  fs.mkdirSync(path.join(copy, "node_modules"));
  for (const name of fs.readdirSync(packages))
    fs.symlinkSync(
      name === "pulumi-slipway" ? copy : path.join(packages, name),
      path.join(copy, "node_modules", name),
    );
}
