"use strict";

const { LAYERS, runLayer } = require("./layers.js");
const { build } = require("./setup/build.js");
const { prepare } = require("./setup/prepare.js");
const { launch, say, SetupError } = require("./setup/say.js");

const USAGE = `node scripts/test.js [${Object.keys(LAYERS).join("|")}…] [-- mocha's own options, as --grep]`;

launch(async () => {
  const { layers, extra } = parse(process.argv.slice(2));
  const needs = (what) => layers.some((layer) => LAYERS[layer][what]);
  const images = [...new Set(layers.flatMap((layer) => LAYERS[layer].images ?? []))];
  const env = await prepare({ npm: true, pulumi: needs("pulumi"), images });
  if (needs("build")) await build(env);

  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  for (const { layer, node24 } of plan(layers)) {
    const result = await runLayer(layer, { env, node24, extra });
    for (const key of Object.keys(total)) total[key] += result[key];
    failures.push(...result.failures.map((failure) => `${layer}: ${failure}`));
    const silent = result.passed + result.failed === 0 && extra.length === 0;
    if (silent) say(`test layer ${layer}: ran no test, and that counts as a failure`);
    // mocha itself broke down, as with a file that does not load: the sum must not look as if all were well
    if (silent || (result.code !== 0 && result.failed === 0)) total.failed += 1;
  }
  // once more at the end: thousands of lines lie between a failure of the first layer and the sum
  for (const failure of failures) process.stdout.write(`\nfailed in ${failure}\n`);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  return total.failed > 0 ? 1 : 0;
});

function parse(argv) {
  const cut = argv.indexOf("--");
  const names = cut < 0 ? argv : argv.slice(0, cut);
  const unknown = names.filter((name) => !(name in LAYERS));
  if (unknown.length > 0) throw new SetupError(`no test layer ${unknown.join(", ")}; usage: ${USAGE}`);
  const layers = Object.keys(LAYERS).filter((layer) => names.length === 0 || names.includes(layer));
  return { layers, extra: cut < 0 ? [] : argv.slice(cut + 1) };
}

/** The layers in order, those that hold for every Node once more on the newest. */
function plan(layers) {
  const node24 = process.env.SLIPWAY_TEST_NODE24 === "1" || Boolean(process.env.CI);
  return layers.flatMap((layer) => {
    const runs = [{ layer, node24: false }];
    if (node24 && LAYERS[layer].node24) runs.push({ layer, node24: true });
    return runs;
  });
}
