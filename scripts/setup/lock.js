"use strict";

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
  let said = false;
  while (!tryTake(folder)) {
    const holder = readHolder(folder);
    if (isStale(folder, holder)) {
      takeAway(folder);
      continue;
    }
    if (!said) say(`waiting for process ${holder ?? "?"}, which is at the same step (${name})`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => takeAway(folder);
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

function tryTake(folder) {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  fs.writeFileSync(path.join(folder, "pid"), String(process.pid));
  return true;
}

function readHolder(folder) {
  try {
    return Number(fs.readFileSync(path.join(folder, "pid"), "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

/** A lock without a pid is one that is just being taken, or whose process died in that moment. */
function isStale(folder, holder) {
  if (holder !== undefined) return !isAlive(holder);
  try {
    return Date.now() - fs.statSync(folder).mtimeMs > NAMELESS_AFTER_MS;
  } catch {
    return false; // released meanwhile: the next round takes it
  }
}

/** Rename first: of several processes that see the same stale lock, one takes it away, and no fresh one is removed. */
function takeAway(folder) {
  const grave = `${folder}.${process.pid}.${Date.now()}`;
  try {
    fs.renameSync(folder, grave);
  } catch {
    return;
  }
  fs.rmSync(grave, { recursive: true, force: true });
}

module.exports = { withLock, isAlive };
