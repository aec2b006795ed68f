/** One line of a bench's table, and of its JSON. Milliseconds; absent means that there is no such thing. */
export type Row = Readonly<Record<string, string | number | undefined>>;

/** The numbers that a bench is judged by, by name. */
export type Figures = Readonly<Record<string, number>>;

/** What one figure has to be. */
export interface Bound {
  readonly figure: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** What a bench measured. */
export interface Measured {
  readonly rows: readonly Row[];
  readonly figures: Figures;
  /** Of what was measured: engine, clients, node. */
  readonly versions: Readonly<Record<string, string>>;
}

/** How a bench is run. */
export interface BenchOptions {
  /** A look at whether it works: fewer and shorter samples. */
  readonly quick: boolean;
  /** One part of it alone, by name. */
  readonly only: string | undefined;
}

/** One bench. */
export interface Bench {
  /** Key of a row to the heading of its column, in order. */
  readonly columns: Readonly<Record<string, string>>;
  readonly bounds: readonly Bound[];
  readonly run: (say: (text: string) => void, options: BenchOptions) => Promise<Measured>;
}

/** The bounds that do not hold. A figure that is missing holds none. */
export function missedBounds(bounds: readonly Bound[], figures: Figures): readonly Bound[] {
  return bounds.filter(({ figure, atMost = Infinity, atLeast = -Infinity }) => {
    const value = figures[figure] ?? Number.NaN;
    return !(value <= atMost && value >= atLeast);
  });
}

/** The figures, each with its bound and whether it holds. */
export function formatBounds(bounds: readonly Bound[], figures: Figures): string {
  const missed = missedBounds(bounds, figures);
  return Object.entries(figures)
    .map(([name, value]) => {
      const bound = bounds.find(({ figure }) => figure === name);
      const line = `${name.padEnd(32)} ${String(value).padStart(8)}`;
      if (bound === undefined) return line;
      const wish = [
        bound.atLeast === undefined ? "" : `at least ${bound.atLeast}`,
        bound.atMost === undefined ? "" : `at most ${bound.atMost}`,
      ];
      return `${line}   ${missed.includes(bound) ? "MISSED" : "ok"}: ${wish.filter(Boolean).join(", ")}`;
    })
    .join("\n");
}
