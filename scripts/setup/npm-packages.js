"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { cachePath } = require("./cache.js");
const { withLock } = require("./lock.js");
const { must } = require("./run.js");
const { say } = require("./say.js");

const ROOT = path.resolve(__dirname, "..", "..");
const LOCK_FILE = path.join(ROOT, "package-lock.json");
const MODULES = path.join(ROOT, "node_modules");
const STAMP = path.join(MODULES, ".slipway-packages"); // written last: an interrupted install leaves none

/** Installs the npm packages where they are missing or not those of package-lock.json. */
async function ensureNpmPackages() {
  if (isCurrent()) return;
  const folder = crypto.createHash("sha256").update(ROOT).digest("hex").slice(0, 12);
  await withLock(`npm-${folder}`, async () => {
    if (isCurrent()) return;
    say("npm packages: npm ci (under a minute)");
    const log = path.join(cachePath("logs"), "npm.log");
    fs.rmSync(log, { force: true });
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    await must(npm, ["ci", "--no-audit", "--no-fund"], { what: "npm packages", log, cwd: ROOT });
    fs.writeFileSync(STAMP, fingerprint());
  });
}

function isCurrent() {
  if (!fs.existsSync(MODULES)) return false;
  return fs.existsSync(STAMP) ? fs.readFileSync(STAMP, "utf8") === fingerprint() : isAsLocked();
}

function fingerprint() {
  return crypto.createHash("sha256").update(fs.readFileSync(LOCK_FILE)).digest("hex");
}

/** For packages that the user installed by hand: npm notes what it put there in a lock file of its own. */
function isAsLocked() {
  try {
    const wanted = packagesOf(LOCK_FILE);
    const present = packagesOf(path.join(MODULES, ".package-lock.json"));
    return Object.entries(wanted).every(([name, entry]) => {
      const found = present[name];
      return name === "" || entry.optional || entry.peer || (found && found.version === entry.version);
    });
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(fs.readFileSync(file, "utf8")).packages;
}

module.exports = { ensureNpmPackages, ROOT };
