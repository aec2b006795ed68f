"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * The folder where everything that set-up makes is kept, outside the repository: a fresh clone finds it again.
 * @returns {string}
 */
function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  return path.resolve(process.env.SLIPWAY_CACHE || path.join(base, "slipway"));
}

/**
 * A folder inside the cache, made when missing.
 * @param {...string} parts
 * @returns {string}
 */
function cachePath(...parts) {
  const folder = path.join(cacheFolder(), ...parts);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

module.exports = { cacheFolder, cachePath };
