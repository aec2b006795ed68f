"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { cachePath } = require("./cache.js");
const { ask, must } = require("./run.js");

const SOURCES = "/etc/apt/sources.list.d";
const SETTINGS = /^Acquire::(http|https|Check-|Retries|ForceIPv[46])/; // how packages are reached from here

/** Is this a machine whose packages come with apt? */
function isDebianLike() {
  return fs.existsSync("/etc/debian_version") && fs.existsSync("/usr/bin/apt-get");
}

/**
 * Installs the packages of the list that this release has.
 * @param {readonly string[]} names
 */
async function installPackages(names) {
  const log = path.join(cachePath("logs"), "apt.log");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const what = `installing ${names.join(", ")}`;
  await must("apt-get", ["update", "-qq"], { what, log, env });
  const { stdout } = await ask("apt-cache", ["madison", ...names]);
  const known = new Set(stdout.split("\n").map((line) => line.split("|")[0].trim()));
  const wanted = names.filter((name) => known.has(name)); // docker-cli is a package of its own only since Debian 13
  await must("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...wanted], { what, log, env });
}

/** The settings with which this machine reaches its package sources, as lines of an apt.conf. */
async function aptSettings() {
  const { stdout } = await ask("apt-config", ["dump"]);
  return stdout.split("\n").filter((line) => SETTINGS.test(line));
}

/**
 * This machine's own package sources, turned to a suite of Debian.
 * @param {string} suite
 * @returns {{uri: string, suite: string, components: string}[]} the suite itself is the first; empty on other systems
 */
function debianSources(suite) {
  const codename = debianCodename();
  const found = codename ? readSources().filter((source) => isOf(source.suite, codename)) : [];
  const own = found.map((source) => ({ ...source, suite: source.suite.replace(codename, suite) }));
  if (!own.some((source) => source.suite === suite)) return [];
  return own.sort((a, b) => a.suite.length - b.suite.length);
}

function isOf(suite, codename) {
  return [codename, `${codename}-updates`, `${codename}-security`].includes(suite);
}

function debianCodename() {
  const release = fs.existsSync("/etc/os-release") ? fs.readFileSync("/etc/os-release", "utf8") : "";
  return /^ID="?debian"?$/m.test(release) ? /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1] : undefined;
}

function readSources() {
  const files = fs.existsSync(SOURCES) ? fs.readdirSync(SOURCES).map((name) => path.join(SOURCES, name)) : [];
  const texts = ["/etc/apt/sources.list", ...files].filter((file) => fs.existsSync(file));
  return texts.flatMap((file) => {
    const text = fs.readFileSync(file, "utf8");
    return file.endsWith(".sources") ? stanzas(text) : file.endsWith(".list") ? oneLiners(text) : [];
  });
}

/** The form of apt's newer files: fields, one stanza after another. */
function stanzas(text) {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name) => new RegExp(`^${name}:\\s*(.+)$`, "im").exec(stanza)?.[1]?.trim() ?? "";
    if (!field("Types").split(/\s+/).includes("deb") || field("Enabled") === "no") return [];
    const uri = field("URIs").split(/\s+/)[0];
    const suites = field("Suites").split(/\s+/);
    return suites.map((suite) => ({ uri, suite, components: field("Components") }));
  });
}

/** The form of sources.list: deb [options] uri suite component… */
function oneLiners(text) {
  return text.split("\n").flatMap((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim());
    return match ? [{ uri: match[1], suite: match[2], components: match[3].trim() }] : [];
  });
}

module.exports = { isDebianLike, installPackages, aptSettings, debianSources };
