"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { cachePath } = require("./cache.js");
const { say } = require("./say.js");

const POLL_MS = 250;
const NAMELESS_AFTER_MS = 5_000;

/**
 * Runs `work` while no other process runs work under the same name. A lock whose process is gone is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withLock(name, work) {
  const folder = path.join(cachePath("locks"), name);
  const own = path.join(folder, `${process.pid}-${crypto.randomBytes(4).toString("hex")}`);
  let said = false;
  while (!tryTake(folder, own)) {
    if (!said) say(`waiting for another process, which is at the same step (${name})`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => {
    fs.rmSync(own, { force: true });
    removeEmpty(folder);
  };
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

/** Is a process of this number alive? A process of another user counts as alive. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The folder is the lock, the one file in it names its holder. */
function tryTake(folder, own) {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return tryTakeOver(folder, own);
  }
  try {
    fs.writeFileSync(own, "");
    return true;
  } catch (error) {
    if (error.code === "ENOENT") return false; // it was taken for an abandoned one and removed
    throw error;
  }
}

/** Several processes may see the same dead holder: its file has a name of its own, and one of them renames it. */
function tryTakeOver(folder, own) {
  try {
    const [holder] = fs.readdirSync(folder);
    if (holder === undefined) {
      if (Date.now() - fs.statSync(folder).mtimeMs > NAMELESS_AFTER_MS) removeEmpty(folder);
      return false;
    }
    if (isAlive(Number.parseInt(holder, 10))) return false;
    fs.renameSync(path.join(folder, holder), own);
    return true;
  } catch (error) {
    if (error.code === "ENOENT") return false; // released or taken over meanwhile
    throw error;
  }
}

/** A folder that has a holder is not empty, and stays. */
function removeEmpty(folder) {
  try {
    fs.rmdirSync(folder);
  } catch {
    // somebody else has it
  }
}

module.exports = { withLock };
