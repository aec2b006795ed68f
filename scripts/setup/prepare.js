"use strict";

const path = require("node:path");
const { ensureBaseImages } = require("./base-images.js");
const { cacheFolder } = require("./cache.js");
const { ensureDocker } = require("./docker.js");
const { ensureNpmPackages } = require("./npm-packages.js");
const { ensurePulumi } = require("./pulumi-cli.js");

/**
 * Brings up what a command needs; what is there already is found in well under a second.
 * @param {{npm?: boolean, pulumi?: boolean, docker?: boolean, images?: readonly string[]}} wanted
 * @returns {Promise<NodeJS.ProcessEnv>} the environment for the children that use it
 */
async function prepare({ npm = false, pulumi = false, docker = false, images = [] }) {
  const env = { ...process.env, SLIPWAY_CACHE: cacheFolder() }; // the lab keeps its keys there too
  if (npm) await ensureNpmPackages();
  if (docker || images.length > 0) Object.assign(env, await ensureDocker());
  await ensureBaseImages(images, env);
  if (!pulumi) return env;
  env.PULUMI_SKIP_UPDATE_CHECK ??= "true"; // a question to the network before each command
  env.PATH = `${await ensurePulumi()}${path.delimiter}${env.PATH ?? ""}`;
  return env;
}

module.exports = { prepare };
