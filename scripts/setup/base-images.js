"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { aptSettings, debianSources, installPackages, isDebianLike } = require("./apt.js");
const { cachePath } = require("./cache.js");
const { withLock } = require("./lock.js");
const { ask, must, which } = require("./run.js");
const { say, SetupError } = require("./say.js");

const RECIPE = path.join(__dirname, "lab-image");
const RECIPE_LABEL = "slipway.lab.recipe";
const PULL_MS = 180_000;

/**
 * The image of a bare lab host.
 * @param {string} suite bookworm or trixie
 */
function imageOf(suite) {
  return `slipway-lab:${suite}`;
}

/**
 * Makes the images that are missing or were made from another recipe.
 * @param {readonly string[]} suites
 * @param {NodeJS.ProcessEnv} env
 */
async function ensureBaseImages(suites, env) {
  for (const suite of suites) {
    if (await isCurrent(suite, env)) continue;
    await withLock(`image-${suite}`, async () => {
      if (!(await isCurrent(suite, env))) await make(suite, env);
    });
  }
}

async function isCurrent(suite, env) {
  const format = `{{index .Config.Labels "${RECIPE_LABEL}"}}`;
  const { code, stdout } = await ask("docker", ["image", "inspect", "--format", format, imageOf(suite)], {
    env,
  });
  return code === 0 && stdout.trim() === recipeHash();
}

function recipeHash() {
  const hash = crypto.createHash("sha256");
  for (const name of fs.readdirSync(RECIPE).sort()) hash.update(fs.readFileSync(path.join(RECIPE, name)));
  return hash.digest("hex").slice(0, 12);
}

async function make(suite, env) {
  const log = path.join(cachePath("logs"), `image-${suite}.log`);
  fs.rmSync(log, { force: true });
  const base = (await fromRegistry(suite, env)) ?? (await fromPackages(suite, log, env));
  say(`lab host ${suite}: building its image (about half a minute)`);
  const args = ["build", "--build-arg", `BASE=${base}`, "--label", `${RECIPE_LABEL}=${recipeHash()}`];
  // The classic builder is there in every Docker; the plugin that BuildKit wants is not.
  const options = { what: `lab host ${suite}`, log, env: { ...env, DOCKER_BUILDKIT: "0" } };
  await must("docker", [...args, "--tag", imageOf(suite), RECIPE], options);
}

async function fromRegistry(suite, env) {
  const image = `debian:${suite}-slim`;
  say(`lab host ${suite}: asking the registry for ${image} (under a minute)`);
  const { code } = await ask("docker", ["pull", "--quiet", image], { env, timeoutMs: PULL_MS });
  return code === 0 ? image : undefined;
}

/** The same base from Debian's packages alone, where no image registry answers. */
async function fromPackages(suite, log, env) {
  const image = `slipway-lab-base:${suite}`;
  if ((await ask("docker", ["image", "inspect", image], { env })).code === 0) return image;
  if (process.getuid?.() !== 0 || !(which("debootstrap") || isDebianLike())) {
    throw new SetupError(
      `lab host ${suite}: no image registry answers for debian:${suite}-slim, and making it from packages ` +
        `needs root and debootstrap (Debian, Ubuntu). Make the registry reachable: docker pull debian:${suite}-slim`,
    );
  }
  if (!which("debootstrap")) {
    say("debootstrap: installing it (under a minute)");
    await installPackages(["debootstrap", "debian-archive-keyring"]);
  }
  say(`lab host ${suite}: no registry answers, making it from Debian's packages (about a minute and a half)`);
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "slipway-lab-"));
  const what = `lab host ${suite}`;
  try {
    const [main] = debianSources(suite);
    // without a mirror named, debootstrap takes Debian's; an older debootstrap does not know newer suites by name
    const mirror = main === undefined ? [] : [main.uri, "/usr/share/debootstrap/scripts/sid"];
    await must("debootstrap", ["--variant=minbase", suite, `${root}/fs`, ...mirror], {
      what,
      log,
      env,
    });
    await writeAptFiles(`${root}/fs/etc/apt`, suite);
    fs.rmSync(`${root}/fs/var/cache/apt/archives`, { recursive: true, force: true });
    fs.mkdirSync(`${root}/fs/var/cache/apt/archives/partial`, { recursive: true });
    await must("tar", ["-C", `${root}/fs`, "-cf", `${root}/base.tar`, "."], { what, log, env });
    await must("docker", ["import", `${root}/base.tar`, image], { what, log, env });
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
  return image;
}

async function writeAptFiles(folder, suite) {
  const lines = debianSources(suite).map(
    ({ uri, suite: name, components }) => `deb ${uri} ${name} ${components}`,
  );
  if (lines.length > 0) fs.writeFileSync(path.join(folder, "sources.list"), `${lines.join("\n")}\n`);
  fs.writeFileSync(path.join(folder, "apt.conf.d", "99lab-machine"), `${(await aptSettings()).join("\n")}\n`);
}

module.exports = { ensureBaseImages, imageOf };
