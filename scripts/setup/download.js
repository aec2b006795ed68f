"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const { pipeline } = require("node:stream/promises");
const tls = require("node:tls");

const CA_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
];
const ANSWER_WITHIN_MS = 5_000;
const STALLED_AFTER_MS = 30_000;
const MAX_REDIRECTS = 5;

/**
 * Downloads one file over https. Fails soon where the address does not answer, so that another way can be tried.
 * @param {string} url
 * @param {string} file
 * @param {{sha256?: string}} [options]
 */
async function download(url, file, { sha256 } = {}) {
  const response = await request(url, MAX_REDIRECTS);
  response.setTimeout(STALLED_AFTER_MS, () => response.destroy(new Error(`${url}: nothing came for 30 s`)));
  await pipeline(response, fs.createWriteStream(file));
  if (!sha256) return;
  const hash = crypto.createHash("sha256");
  await pipeline(fs.createReadStream(file), hash);
  if (hash.digest("hex") !== sha256) throw new Error(`${url}: the file has another SHA-256 than expected`);
}

function request(url, redirects) {
  return new Promise((resolve, reject) => {
    const outgoing = https.get(url, { ca: certificates() }, (response) => {
      clearTimeout(timer);
      const { statusCode, headers } = response;
      if (statusCode === 200) return resolve(response);
      response.resume();
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        return resolve(request(new URL(headers.location, url).href, redirects - 1));
      }
      return reject(new Error(`${url}: HTTP ${statusCode}`));
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`${url}: no answer within 5 s`)),
      ANSWER_WITHIN_MS,
    );
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** The machine's own certificates beside Node's: companies and sandboxes add theirs to the system's bundle only. */
function certificates() {
  const bundle = CA_BUNDLES.find((file) => fs.existsSync(file));
  return bundle ? [...tls.rootCertificates, fs.readFileSync(bundle, "utf8")] : undefined;
}

module.exports = { download };
