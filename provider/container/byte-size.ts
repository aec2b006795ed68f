const UNITS = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const;

/** Bytes of a size as docker takes it: 1048576, "512m", "1.5g", "64MiB". Undefined when it is none. */
export function parseByteSize(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== "string") return undefined;
  const match = /^(\d+(?:\.\d+)?)([bkmgt])?(?:i?b)?$/.exec(value.trim().toLowerCase());
  if (!match) return undefined;
  return Math.floor(Number(match[1]) * UNITS[(match[2] ?? "b") as keyof typeof UNITS]);
}
