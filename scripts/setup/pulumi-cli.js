"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { cacheFolder, cachePath } = require("./cache.js");
const { download } = require("./download.js");
const { ensureGo } = require("./go.js");
const { withLock } = require("./lock.js");
const { ask, must, which } = require("./run.js");
const { say, SetupError } = require("./say.js");

const VERSION = "v3.259.0"; // the newest CLI whose sources the Go module proxy serves
const NODE_HOST_VERSION = "v3.68.0"; // the last sdk that carries the Node.js language host in its module
const GO_LINE = "go 1.25.11"; // what the CLI asks for; an older Go fetches that toolchain by itself
const PROGRAMS = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];
const MANUAL = "install the Pulumi CLI (https://www.pulumi.com/docs/install/) and try again";

/** The launcher through which the engine starts dynamic providers, as the official archive has it. */
const LAUNCHER = `#!/bin/sh
exec node "$(node -p "require.resolve('@pulumi/pulumi/cmd/dynamic-provider')")" "$@"
`;

/**
 * Finds a Pulumi CLI with its Node.js language host, or puts one into the cache.
 * @returns {Promise<string>} the folder that belongs on the PATH
 */
async function ensurePulumi() {
  const installed = which("pulumi");
  // The programs may be links into another folder, as Homebrew has it: only the PATH as a whole counts.
  if (installed && PROGRAMS.every((name) => which(name))) return path.dirname(installed);
  const bin = path.join(cacheFolder(), "pulumi", VERSION, "bin");
  if (isComplete(bin)) return bin;
  return withLock("pulumi", async () => {
    if (isComplete(bin)) return bin;
    const made = `${bin}.${process.pid}`;
    fs.mkdirSync(made, { recursive: true });
    try {
      if (!(await fromRelease(made))) await fromSources(made);
      fs.rmSync(bin, { recursive: true, force: true });
      fs.renameSync(made, bin);
    } finally {
      fs.rmSync(made, { recursive: true, force: true });
    }
    return bin;
  });
}

function isComplete(bin) {
  return PROGRAMS.every((name) => fs.existsSync(path.join(bin, name)));
}

/** The official archive, where its address answers. */
async function fromRelease(bin) {
  const archive = path.join(bin, "pulumi.tar.gz");
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  say(`Pulumi CLI ${VERSION}: downloading (under a minute)`);
  try {
    await download(
      `https://get.pulumi.com/releases/sdk/pulumi-${VERSION}-${process.platform}-${arch}.tar.gz`,
      archive,
    );
  } catch (error) {
    say(`Pulumi CLI: the official download does not answer (${error.message})`);
    return false;
  }
  const { code, stderr } = await ask("tar", ["-xzf", archive, "-C", bin, "--strip-components=1"]);
  fs.rmSync(archive);
  if (code !== 0) throw new SetupError(`Pulumi CLI: cannot unpack the archive: ${stderr.trim()}; ${MANUAL}`);
  return true;
}

/** The same programs from their published Go modules. */
async function fromSources(bin) {
  const go = await ensureGo(MANUAL);
  say("Pulumi CLI: building it from its Go modules (7 to 13 minutes on 2 cores, once for this user)");
  const work = cachePath("pulumi", "build"); // kept when interrupted: the next build goes on with what is compiled
  const log = path.join(work, "build.log");
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOCACHE: path.join(work, "objects"),
    GOMODCACHE: path.join(work, "modules"),
    GOFLAGS: `${process.env.GOFLAGS ?? ""} -mod=mod -modcacherw -trimpath`.trim(),
    GOTOOLCHAIN: "auto",
  };
  const build = (args, cwd) => must(go.program, args, { what: "Pulumi CLI", log, cwd, env });

  const cli = module_(path.join(work, "cli"), [
    "module pulumicli",
    GO_LINE,
    `require github.com/pulumi/pulumi/pkg/v3 ${VERSION}`,
    // the replacement stands in the CLI's own go.mod, which does not count for a module that is only required
    "replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e",
  ]);
  const flags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${VERSION}`;
  const command = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  await build(["build", "-o", path.join(bin, "pulumi"), "-ldflags", flags, command], cli);

  const host = module_(path.join(work, "host"), ["module pulumihost", GO_LINE]);
  const program = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
  await build(["get", `${program}@${NODE_HOST_VERSION}`], host);
  await build(["build", "-o", path.join(bin, "pulumi-language-nodejs"), program], host);

  fs.writeFileSync(path.join(bin, "pulumi-resource-pulumi-nodejs"), LAUNCHER, { mode: 0o755 });
  fs.rmSync(work, { recursive: true, force: true });
  go.remove();
}

/** A fresh go.mod: one from an interrupted build may hold half of its requirements. */
function module_(folder, lines) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "go.mod"), `${lines.join("\n")}\n`);
  return folder;
}

module.exports = { ensurePulumi };
