/** What BuildKit says of one layer that it loads: `sha256:… 3.15MB / 29.13MB 0.1s`. */
const LAYER = /^(sha256:[0-9a-f]+) ([\d.]+)([kMGT]?B) \/ ([\d.]+)([kMGT]?B)\b/;
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** How far the layers are that a step loads. */
export class LayerProgress {
  readonly #layers = new Map<string, { readonly loaded: number; readonly all: number }>();

  /** Takes one line of the step; gives the percent of all its layers that are known so far, where the line tells of one. */
  percent(line: string): number | undefined {
    const [, layer, loaded, loadedUnit, all, allUnit] = LAYER.exec(line) ?? [];
    if (layer === undefined) return undefined;
    this.#layers.set(layer, { loaded: bytes(loaded, loadedUnit), all: bytes(all, allUnit) });
    const sum = (of: "loaded" | "all"): number =>
      [...this.#layers.values()].reduce((whole, each) => whole + each[of], 0);
    return Math.floor((100 * sum("loaded")) / Math.max(sum("all"), 1));
  }
}

function bytes(number = "0", unit = "B"): number {
  return Number(number) * 1000 ** Math.max(UNITS.indexOf(unit), 0);
}
