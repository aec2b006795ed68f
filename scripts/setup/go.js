"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { cachePath } = require("./cache.js");
const { download } = require("./download.js");
const { ask, which } = require("./run.js");
const { say, SetupError } = require("./say.js");
const { unzip } = require("./unzip.js");

const MINIMUM = [1, 21]; // the first that fetches the newer toolchain a module asks for by itself
const VERSION = "go1.25.11";
const SHA256 = {
  "linux-amd64": "dbf20d78a456c1a53fc52c06f1660851cb115be9b0807caf1abc4aedf8c77c1b",
  "linux-arm64": "4d31d22f75fed99025f7b082319eabeb74106d11e343fc203b336ba2afdeb3a1",
};

/**
 * Finds a Go that can build the CLI, or takes the toolchain that the Go module proxy serves.
 * @param {string} otherwise what the user can do where neither works
 * @returns {Promise<{program: string, remove: () => void}>}
 */
async function ensureGo(otherwise) {
  const installed = which("go");
  if (installed && (await isRecent(installed))) return { program: installed, remove: () => {} };
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const sha256 = SHA256[platform];
  if (!sha256)
    throw new SetupError(
      `Pulumi CLI: there is no Go ${MINIMUM.join(".")} or newer to build it; ${otherwise}`,
    );
  say(`Go: downloading ${VERSION} to build the Pulumi CLI (under a minute)`);
  const folder = cachePath("go");
  const archive = path.join(folder, `${VERSION}.zip`);
  const module_ = `golang.org/toolchain@v0.0.1-${VERSION}.${platform}`;
  try {
    await download(`${proxy()}/${module_.replace("@", "/@v/")}.zip`, archive, { sha256 });
    unzip(archive, folder);
  } catch (error) {
    throw new SetupError(
      `Pulumi CLI: no Go to build it, and none can be had (${error.message}); ${otherwise}`,
    );
  }
  fs.rmSync(archive);
  for (const name of ["bin", "pkg"]) makeExecutable(path.join(folder, module_, name));
  const remove = () => fs.rmSync(folder, { recursive: true, force: true });
  return { program: path.join(folder, module_, "bin", "go"), remove };
}

async function isRecent(go) {
  const { stdout } = await ask(go, ["env", "GOVERSION"]);
  const match = /^go(\d+)\.(\d+)/.exec(stdout);
  return match !== null && (Number(match[1]) - MINIMUM[0] || Number(match[2]) - MINIMUM[1]) >= 0;
}

/** The first https proxy of GOPROXY, as the go command would ask it. */
function proxy() {
  const wanted = (process.env.GOPROXY ?? "").split(/[,|]/).find((entry) => entry.startsWith("https://"));
  return (wanted ?? "https://modules.example").replace(/\/$/, "");
}

/** Module archives carry no file modes. */
function makeExecutable(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) fs.chmodSync(path.join(entry.parentPath ?? entry.path, entry.name), 0o755);
  }
}

module.exports = { ensureGo };
