"use strict";

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { installPackages, isDebianLike } = require("./apt.js");
const { cachePath } = require("./cache.js");
const { withLock } = require("./lock.js");
const { ask, which } = require("./run.js");
const { say, SetupError } = require("./say.js");

const RUN = "/run/slipway-lab"; // one daemon a machine: two would both want the bridge docker0
const HOST = `unix://${RUN}/docker.sock`;
const PID_FILE = `${RUN}/docker.pid`;
const START_MS = 60_000;
const POLL_MS = 200;

/**
 * Finds a Docker that can carry lab hosts, or starts one.
 * @returns {Promise<Record<string, string>>} the variables that lead the docker command to it
 */
async function ensureDocker() {
  const found = await findDocker();
  if (found) return found;
  return withLock("docker", async () => {
    const meanwhile = await findDocker();
    if (meanwhile) return meanwhile;
    await install();
    const started = await findDocker(); // where systemd runs, the package has started its daemon
    return started ?? startDaemon();
  });
}

async function findDocker() {
  if (!which("docker")) return undefined;
  if (await answers({})) return {};
  return process.env.DOCKER_HOST
    ? undefined
    : (await answers({ DOCKER_HOST: HOST }))
      ? { DOCKER_HOST: HOST }
      : undefined;
}

async function answers(variables) {
  const env = { ...process.env, ...variables };
  const { code, stdout } = await ask("docker", ["info", "--format", "{{.OSType}}"], {
    env,
    timeoutMs: 15_000,
  });
  return code === 0 && stdout.trim() === "linux";
}

async function install() {
  if (process.env.DOCKER_HOST) {
    throw new SetupError(
      `the lab needs Docker, and none answers at DOCKER_HOST=${process.env.DOCKER_HOST}; start it or unset DOCKER_HOST`,
    );
  }
  if (which("dockerd") && which("docker") && process.getuid?.() === 0) return;
  if (!isDebianLike() || process.getuid?.() !== 0) {
    throw new SetupError(
      "the lab needs a Docker that this user may talk to, and none answers (docker info fails). " +
        "Start Docker and try again; on Debian and Ubuntu, as root, it is installed for you",
    );
  }
  say("Docker for the lab: installing it from this machine's package sources (under a minute)");
  await installPackages(["docker.io", "docker-cli", "iptables"]);
}

/** A daemon of our own, with its data in the cache, for machines where no service manager starts one. */
async function startDaemon() {
  say("Docker for the lab: starting dockerd (a few seconds)");
  fs.mkdirSync(RUN, { recursive: true });
  const folder = cachePath("docker");
  const log = path.join(folder, "dockerd.log");
  let ended = clearPidFile() ? undefined : "is running already, but does not answer";
  if (!ended) {
    const sink = fs.openSync(log, "a");
    const args = [
      "-H",
      HOST,
      "--data-root",
      path.join(folder, "data"),
      "--exec-root",
      `${RUN}/exec`,
      "-p",
      PID_FILE,
    ];
    const child = spawn("dockerd", args, { detached: true, stdio: ["ignore", sink, sink] });
    fs.closeSync(sink);
    child.on("error", (error) => (ended = error.message));
    child.on("exit", (code) => (ended = `ended with ${code}`));
    child.unref();
  }
  const deadline = Date.now() + START_MS;
  while (!ended && Date.now() < deadline) {
    if (await answers({ DOCKER_HOST: HOST })) {
      say(`Docker for the lab: runs on, ready for the next time (to stop it: kill $(cat ${PID_FILE}))`);
      return { DOCKER_HOST: HOST };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const tail = fs.existsSync(log)
    ? fs.readFileSync(log, "utf8").trimEnd().split("\n").slice(-8).join("\n  ")
    : "";
  throw new SetupError(`dockerd ${ended ?? "did not answer within 60 s"}; the end of ${log}:\n  ${tail}`);
}

/** dockerd refuses to start over the pid of whatever process has that number today. */
function clearPidFile() {
  let pid;
  try {
    pid = fs.readFileSync(PID_FILE, "utf8").trim();
    if (fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd") return false;
  } catch {
    // no such file, or no such process
  }
  fs.rmSync(PID_FILE, { force: true });
  return true;
}

module.exports = { ensureDocker };
