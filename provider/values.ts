import { parseDuration } from "./duration";
import type { Failure, Properties } from "./handler";

/**
 * What Pulumi hands over for a value that preview does not know yet, whatever its type
 * (`pulumi.runtime.unknownValue`; repeated here because handlers know nothing of Pulumi).
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** True when the value, or anything inside it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** A plain object, the only shape besides lists and scalars that crosses Pulumi's wire. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys and without undefined fields: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (isObject(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/**
 * The names of arguments in which new inputs and recorded outputs differ, gone ones included. `added` are the keys that
 * outputs have beside the inputs; keys of ours (`__…`) are no arguments.
 */
export function changedArguments(
  olds: Properties,
  news: Properties,
  added: readonly string[],
): readonly string[] {
  const given = [...Object.keys(news), ...Object.keys(olds).filter((key) => !added.includes(key))];
  return [...new Set(given)].filter(
    (key) => !key.startsWith("__") && canonicalJson(news[key]) !== canonicalJson(olds[key]),
  );
}

/** Bounds of a whole number. */
export interface IntegerRange {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Reads one object of inputs: every mistake becomes a failure with the field's path, and reading goes on. A value that is
 * not known yet reads as undefined without a failure, and `unknown` tells.
 */
export class Fields {
  readonly path: string;
  readonly failures: Failure[];
  private readonly values: Properties;
  private readonly seen = new Set<string>();
  private readonly root: { unknown: boolean };

  constructor(values: Properties, failures: Failure[] = [], path = "", root = { unknown: false }) {
    this.values = values;
    this.failures = failures;
    this.path = path;
    this.root = root;
  }

  /** True when any value read so far was not known yet. */
  get unknown(): boolean {
    return this.root.unknown;
  }

  fail(key: string, reason: string): undefined {
    this.failures.push({ property: this.at(key), reason });
    return undefined;
  }

  has(key: string): boolean {
    return this.values[key] !== undefined && this.values[key] !== null;
  }

  /** The raw value; undefined when it is absent or not known yet. */
  raw(key: string): unknown {
    this.seen.add(key);
    const value = this.values[key] ?? undefined;
    if (!hasUnknown(value)) return value;
    this.root.unknown = true;
    // a list or object that is known in part is still worth reading; its unknown leaves read as undefined
    return value === UNKNOWN ? undefined : value;
  }

  string(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || typeof value === "string") return value;
    return this.fail(key, `must be a text, not ${describe(value)}`);
  }

  requiredString(key: string): string | undefined {
    const value = this.string(key);
    if (value === "" || !this.has(key)) return this.fail(key, "is required");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.raw(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.fail(key, `must be true or false, not ${describe(value)}`);
  }

  integer(key: string, range: IntegerRange = {}): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    const limits = [
      range.min === undefined ? "" : ` from ${range.min}`,
      range.max === undefined ? "" : ` to ${range.max}`,
    ];
    return this.fail(key, `must be a whole number${limits.join("")}, not ${describe(value)}`);
  }

  /** Milliseconds of a duration text. */
  duration(key: string): number | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    return (
      parseDuration(text) ?? this.fail(key, `must be a duration such as "30s" or "2m", not ${describe(text)}`)
    );
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.string(key);
    if (value === undefined) return undefined;
    const choice = choices.find((each) => each === value);
    return (
      choice ??
      this.fail(
        key,
        `must be one of ${choices.map((each) => `"${each}"`).join(", ")}, not ${describe(value)}`,
      )
    );
  }

  strings(key: string): readonly string[] | undefined {
    return this.list(key, (value, fail) =>
      typeof value === "string" ? value : fail(`must be a text, not ${describe(value)}`),
    );
  }

  stringMap(key: string): Readonly<Record<string, string>> | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(key, `must be an object of texts, not ${describe(value)}`);
    const entries: [string, string][] = [];
    for (const [name, item] of Object.entries(value)) {
      if (item === UNKNOWN) continue;
      if (typeof item === "string") entries.push([name, item]);
      else this.fail(`${key}.${name}`, `must be a text, not a ${typeof item}`);
    }
    return Object.fromEntries(entries);
  }

  /** A list, item by item; items that fail or are not known yet are left out. */
  list<T>(
    key: string,
    read: (value: unknown, fail: (reason: string) => undefined, index: number) => T | undefined,
  ): readonly T[] | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.fail(key, `must be a list, not ${describe(value)}`);
    const items: T[] = [];
    value.forEach((item: unknown, index) => {
      if (item === UNKNOWN) return;
      const read1 = read(item, (reason) => this.fail(`${key}[${index}]`, reason), index);
      if (read1 !== undefined) items.push(read1);
    });
    return items;
  }

  /** A list of objects, each read by its own Fields. */
  objects<T>(key: string, read: (fields: Fields) => T | undefined): readonly T[] | undefined {
    return this.list(key, (value, fail, index) =>
      isObject(value)
        ? read(this.nested(value, `${key}[${index}]`))
        : fail(`must be an object, not ${describe(value)}`),
    );
  }

  /** The Fields of a nested object. */
  object(key: string): Fields | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    return isObject(value)
      ? this.nested(value, key)
      : this.fail(key, `must be an object, not ${describe(value)}`);
  }

  /**
   * Fails every key that nobody read: a mistyped name must not be ignored. Keys of ours (`__…`) are left out.
   * @param meant what a reader of other tools' documents probably means, by the name that was given
   */
  rejectOthers(known: readonly string[] = [], meant: Readonly<Record<string, string>> = {}): void {
    for (const key of Object.keys(this.values)) {
      if (this.seen.has(key) || known.includes(key) || key.startsWith("__")) continue;
      if (this.values[key] === undefined) continue;
      const name = Object.hasOwn(meant, key) ? meant[key] : undefined;
      this.fail(key, `is not a known argument${name === undefined ? "" : `; is ${name} meant?`}`);
    }
  }

  private nested(values: Properties, key: string): Fields {
    return new Fields(values, this.failures, this.at(key), this.root);
  }

  private at(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }
}

/** The kind of a value for a message; never the value of a longer text, which may be a secret. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `a text of ${value.length} characters` : JSON.stringify(value);
    case "object":
      return "an object";
    case "number":
    case "boolean":
      return String(value);
    default:
      return `a ${typeof value}`;
  }
}
