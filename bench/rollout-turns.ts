import { startRelay } from "../test/support/relay";

/** A TCP port of this machine in front of another one, which remembers when the client spoke. */
export interface TurnCounter {
  readonly port: number;
  /**
   * How many round trips one after another the client can have waited for between two moments, outside the pauses: its words
   * that came at least `rttMs` after the last counted ones. An upper bound: some of them waited for nothing.
   */
  turns(span: Span, pauses: readonly Span[], rttMs: number): number;
  stop(): void;
}

/** From one moment to another, on the clock of `performance.now()`. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** As long is an SSH packet that ends a stream or widens a window: it asks for nothing, and nobody waits for it. */
const SILENT_BYTES = 36;

/** Listens in front of `targetPort`. */
export async function startTurnCounter(targetPort: number): Promise<TurnCounter> {
  const spokenAt: number[] = [];
  const { port, stop } = await startRelay(targetPort, {
    said(_client, { length }) {
      if (length > SILENT_BYTES) spokenAt.push(performance.now());
    },
  });
  return { port, stop, turns: (span, pauses, rttMs) => countTurns(spokenAt, span, pauses, rttMs) };
}

function countTurns(spokenAt: readonly number[], span: Span, pauses: readonly Span[], rttMs: number): number {
  let turns = 0;
  let answeredMs = -Infinity;
  for (const atMs of spokenAt) {
    if (!isIn(atMs, span) || pauses.some((pause) => isIn(atMs, pause)) || atMs < answeredMs) continue;
    turns += 1;
    answeredMs = atMs + rttMs;
  }
  return turns;
}

function isIn(atMs: number, { fromMs, toMs }: Span): boolean {
  return atMs >= fromMs && atMs < toMs;
}
