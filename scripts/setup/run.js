"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { SetupError } = require("./say.js");

const TAIL_LINES = 15;
const SIGNALS = ["SIGINT", "SIGTERM"];

/**
 * Runs a program and collects what it prints. Never rejects for a non-zero exit: callers that only ask look at `code`.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions & {input?: string | Buffer, timeoutMs?: number}} [options]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
function ask(file, args, options = {}) {
  const { input, timeoutMs, ...spawnOptions } = options;
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...spawnOptions, stdio: ["pipe", "pipe", "pipe"] });
    const chunks = { stdout: [], stderr: [] };
    const timer = timeoutMs ? setTimeout(() => child.kill("SIGKILL"), timeoutMs) : undefined;
    const finish = (code, note) => {
      clearTimeout(timer);
      const stderr = Buffer.concat(chunks.stderr).toString() + note;
      resolve({ code, stdout: Buffer.concat(chunks.stdout).toString(), stderr });
    };
    child.stdout.on("data", (chunk) => chunks.stdout.push(chunk));
    child.stderr.on("data", (chunk) => chunks.stderr.push(chunk));
    child.on("error", (error) => finish(127, String(error.message)));
    child.on("close", (code, signal) => finish(code ?? 1, signal ? `ended by ${signal}` : ""));
    child.stdin.on("error", () => {}); // a child that ends without reading its input is judged by its exit code
    child.stdin.end(input);
  });
}

/**
 * Runs a step of set-up; its output goes to a log file, and only a failure shows the last lines of it.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{log: string, what: string, cwd?: string, env?: NodeJS.ProcessEnv}} options
 */
async function must(file, args, { log, what, cwd, env }) {
  const sink = fs.openSync(log, "a");
  try {
    const code = await new Promise((resolve, reject) => {
      const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: ["ignore", sink, sink] });
      child.on("error", (error) => reject(new SetupError(`${what}: cannot run ${file}: ${error.message}`)));
      child.on("close", (exit, signal) => resolve(exit ?? signal));
    });
    if (code === 0) return;
    const tail = fs.readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
    const lines = tail.map((line) => `  ${line}`).join("\n");
    throw new SetupError(`${what}: ${file} ended with ${code}; the end of ${log}:\n${lines}`);
  } finally {
    fs.closeSync(sink);
  }
}

/**
 * Runs a child with the terminal of this process.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<number>} its exit code
 */
function stream(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: "inherit", ...options });
    // Ctrl-C reaches the child by itself, and this process has to wait until it has cleaned up.
    const passOn = (signal) => signal === "SIGINT" || child.kill(signal);
    for (const signal of SIGNALS) process.on(signal, passOn);
    const finish = (settle) => (value) => {
      for (const signal of SIGNALS) process.removeListener(signal, passOn);
      settle(value);
    };
    child.on("error", finish(reject));
    child.on("close", (code) => finish(resolve)(code ?? 1));
  });
}

/**
 * The full path of a program on a PATH.
 * @param {string} name
 * @param {string} [searchPath]
 * @returns {string | undefined}
 */
function which(name, searchPath = process.env.PATH ?? "") {
  for (const folder of searchPath.split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

module.exports = { ask, must, stream, which };
