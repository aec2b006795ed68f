import type { DiffResult, Properties } from "../handler";
import { canonicalJson, hasUnknown } from "../values";
import { isReserved } from "./reserved";

/**
 * The arguments, and values that check computed, in which new inputs and recorded outputs differ. A value that check
 * computes now and did not compute when the outputs were recorded is no difference: a release may bring new ones.
 */
export function changedKeys(olds: Properties, news: Properties): readonly string[] {
  const given = new Set([...argumentsOf(olds), ...argumentsOf(news)]);
  const computed = Object.keys(news).filter((key) => !isReserved(key) && key in olds);
  return [...new Set([...given, ...computed])].filter(
    (key) => canonicalJson(news[key]) !== canonicalJson(olds[key]),
  );
}

/**
 * What Pulumi is told. Undefined leaves the verdict to the engine's own comparison of old and new inputs, which shows
 * each changed argument. The engine would see nothing where only the outputs tell (drift, a failed attempt): those are
 * `true`. A value that is not known yet may change, and replaces nothing.
 */
export function verdict(olds: Properties, news: Properties, answer: DiffResult): DiffResult {
  const replaces = (answer.replaces ?? []).filter((key) => !hasUnknown(news[key]));
  const inputsChanged = changedKeys(olds, news).length > 0;
  const outputsTell = answer.changes === true || olds.__failed === true;
  if (outputsTell || (replaces.length > 0 && !inputsChanged)) return { changes: true, replaces };
  return { changes: inputsChanged ? undefined : false, replaces };
}

function argumentsOf(properties: Properties): readonly string[] {
  const names: unknown = properties.__args;
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}
