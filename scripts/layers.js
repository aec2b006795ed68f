"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { ask, stream } = require("./setup/run.js");
const { ROOT } = require("./setup/npm-packages.js");
const { say, SetupError } = require("./setup/say.js");

const NODE_24 = ["-y", "-p", "node@24"];

/**
 * The test layers in the order of their price, and what each needs; `images` are the lab hosts it starts. With `beside`
 * its files run beside each other, as many as there are processors: each has hosts of its own, and waits for them. Those of
 * `load`, which ask as fast as they can whether a request is lost, have the machine to themselves.
 * @type {Record<string, {build?: boolean, pulumi?: boolean, images?: readonly string[], node24?: boolean, beside?: boolean, timeoutMs: number}>}
 */
const LAYERS = {
  unit: { node24: true, timeoutMs: 10_000 },
  wiring: { build: true, pulumi: true, node24: true, timeoutMs: 180_000 },
  integration: { images: ["bookworm"], timeoutMs: 120_000 },
  e2e: { build: true, pulumi: true, images: ["bookworm", "trixie"], beside: true, timeoutMs: 600_000 },
  load: { build: true, pulumi: true, images: ["bookworm", "trixie"], timeoutMs: 600_000 },
};

/**
 * Runs one layer and counts; `failures` are the names of the tests that failed, each with its own account of it.
 * @param {string} layer
 * @param {{env: NodeJS.ProcessEnv, node24?: boolean, extra?: readonly string[]}} options
 * @returns {Promise<{passed: number, failed: number, skipped: number, failures: readonly string[], code: number}>}
 */
async function runLayer(layer, { env, node24 = false, extra = [] }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-test-"));
  const counts = path.join(folder, "counts.json");
  const mocha = path.join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  const args = ["--node-option", "import=tsx", "--no-config", "--no-package"];
  args.push("--timeout", String(LAYERS[layer].timeoutMs), "--recursive", "--forbid-only");
  args.push("--reporter", path.join(__dirname, "reporter.js"), "--reporter-option", `counts=${counts}`);
  if (LAYERS[layer].beside) args.push("--parallel", "--jobs", String(os.availableParallelism()));
  args.push(...extra, `test/${layer}/**/*.test.ts`);
  say(`test layer ${layer} on Node ${node24 ? await versionOfNode24() : process.version}`);
  try {
    const [program, before] = node24 ? ["npx", [...NODE_24, "node"]] : [process.execPath, []];
    const code = await stream(program, [...before, mocha, ...args], { cwd: ROOT, env });
    const result = fs.existsSync(counts) ? JSON.parse(fs.readFileSync(counts, "utf8")) : undefined;
    return { ...(result ?? { passed: 0, failed: 0, skipped: 0, failures: [] }), code };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function versionOfNode24() {
  const { code, stdout, stderr } = await ask("npx", [...NODE_24, "node", "-v"], { timeoutMs: 300_000 });
  if (code === 0 && stdout.startsWith("v24.")) return stdout.trim();
  throw new SetupError(`Node 24 cannot be had through npm (npx -y -p node@24): ${stderr.trim()}`);
}

module.exports = { LAYERS, runLayer };
