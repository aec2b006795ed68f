"use strict";

const fs = require("node:fs");
const path = require("node:path");
const zlib = require("node:zlib");

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_SIZE = 22;
const DEFLATED = 8;

/**
 * Unpacks a zip archive, for machines that have no unzip. Archives above 4 GB are not for it.
 * @param {string} file
 * @param {string} folder
 */
function unzip(file, folder) {
  const zip = fs.readFileSync(file);
  let end = zip.length - END_SIZE;
  while (end >= 0 && zip.readUInt32LE(end) !== END) end -= 1;
  if (end < 0) throw new Error(`${file} is not a zip archive`);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (zip.readUInt32LE(at) !== ENTRY) throw new Error(`${file}: its directory is damaged`);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    writeEntry(zip, at, name, folder);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

function writeEntry(zip, at, name, folder) {
  const target = path.resolve(folder, name);
  if (!target.startsWith(path.resolve(folder) + path.sep))
    throw new Error(`the archive wants to write to ${name}`);
  if (name.endsWith("/")) return;
  const size = zip.readUInt32LE(at + 20);
  const local = zip.readUInt32LE(at + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const packed = zip.subarray(start, start + size);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, zip.readUInt16LE(at + 10) === DEFLATED ? zlib.inflateRawSync(packed) : packed);
}

module.exports = { unzip };
