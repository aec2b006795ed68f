"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { cachePath } = require("./cache.js");
const { download } = require("./download.js");
const { ask, which } = require("./run.js");
const { say, SetupError } = require("./say.js");
const { unzip } = require("./unzip.js");

const MINIMUM = [1, 21]; // the first that fetches the newer toolchain a module asks for by itself
const USUAL_PLACE = "/usr/local/go/bin/go"; // where Go's own archive is unpacked; often not on PATH
const TOOLCHAINS = {
  "linux-amd64": {
    version: "go1.25.11",
    sha256: "dbf20d78a456c1a53fc52c06f1660851cb115be9b0807caf1abc4aedf8c77c1b",
  },
  // older than the CLI asks for: it fetches the newer one by itself
  "linux-arm64": {
    version: "go1.25.4",
    sha256: "2f51856a090fbee308b1e38e19eb46f59827b1518c61afb4cc46cc4f649b1799",
  },
};

/**
 * Finds a Go that can build the CLI, or takes the toolchain that the module proxy of GOPROXY serves.
 * @param {string} otherwise what the user can do where neither works
 * @returns {Promise<{program: string, remove: () => void}>}
 */
async function ensureGo(otherwise) {
  for (const installed of [which("go"), USUAL_PLACE]) {
    if (installed && fs.existsSync(installed) && (await isRecent(installed)))
      return { program: installed, remove: () => {} };
  }
  const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const toolchain = TOOLCHAINS[platform];
  const from = proxy();
  if (!toolchain || from === undefined)
    throw new SetupError(
      `Pulumi CLI: there is no Go ${MINIMUM.join(".")} or newer to build it; ${otherwise}`,
    );
  const { version, sha256 } = toolchain;
  say(`Go: downloading ${version} to build the Pulumi CLI (under a minute)`);
  const folder = cachePath("go");
  const archive = path.join(folder, `${version}.zip`);
  const module_ = `golang.org/toolchain@v0.0.1-${version}.${platform}`;
  try {
    await download(`${from}/${module_.replace("@", "/@v/")}.zip`, archive, { sha256 });
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

/** The first https proxy of GOPROXY; undefined where none is set. */
function proxy() {
  const wanted = (process.env.GOPROXY ?? "").split(/[,|]/).find((entry) => entry.startsWith("https://"));
  return wanted?.replace(/\/$/, "");
}

/** Module archives carry no file modes. */
function makeExecutable(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) fs.chmodSync(path.join(entry.parentPath ?? entry.path, entry.name), 0o755);
  }
}

module.exports = { ensureGo };
