import type { Properties } from "../../handler";
import { canonicalJson } from "../../values";
import { HOST_ARGUMENTS, wishOf } from "./wish";

/** Parts of a wish that say what we may do; the machine itself knows nothing of them. */
const WORDS: readonly string[] = [
  "allowDaemonRestart",
  "allowDowngrade",
  "allowPackageRepair",
  "adopt",
  "uninstallOnDelete",
  "purge",
  "abandonUnreachable",
];

/**
 * True when the recorded machine is what these arguments ask for, so that at most the way to it changed. Arguments that
 * are gone count as their defaults.
 */
export function isSameOnHost(olds: Properties, news: Properties): boolean {
  if (Array.isArray(olds.drift) && olds.drift.length > 0) return false;
  return wishedOnHost(olds) === wishedOnHost(news);
}

/** The recorded outputs under new arguments; what the program no longer says is no longer recorded. */
export function underArguments(olds: Properties, news: Properties): Properties {
  const seen = Object.entries(olds).filter(([key]) => !HOST_ARGUMENTS.includes(key));
  return { ...Object.fromEntries(seen), ...news };
}

function wishedOnHost(values: Properties): string {
  const { wish } = wishOf(values);
  return canonicalJson(
    Object.entries(wish ?? {})
      .filter(([key]) => !WORDS.includes(key))
      .sort(),
  );
}
