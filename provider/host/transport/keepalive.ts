/** How often a machine is asked for a sign of life, and how many questions in a row may stay without any. */
export interface KeepaliveRhythm {
  readonly intervalMs: number;
  readonly count: number;
}

/** A peer that vanished is known to be dead after 40 s at most: three questions, and the pause before the first. */
export const KEEPALIVE: KeepaliveRhythm = { intervalMs: 10_000, count: 3 };

/** A running keepalive. */
export interface Keepalive {
  /** Something came from the machine. */
  heard(): void;
  stop(): void;
}

/** Calls `beat` again and again; gives the way to end that. It holds no process. */
export type Beats = (intervalMs: number, beat: () => void) => () => void;

/**
 * Asks again and again and counts the questions in a row after which nothing at all was heard. It counts beats, not time:
 * a process that was busy or asleep itself has not proven anything about the machine.
 */
export function startKeepalive(
  { intervalMs, count }: KeepaliveRhythm,
  { ask, dead }: { readonly ask: () => void; readonly dead: () => void },
  beats: Beats = timerBeats,
): Keepalive {
  let unanswered = 0;
  const stop = beats(intervalMs, () => {
    if (unanswered >= count) {
      stop();
      dead();
      return;
    }
    unanswered += 1;
    ask();
  });
  return {
    heard: () => {
      unanswered = 0;
    },
    stop,
  };
}

function timerBeats(intervalMs: number, beat: () => void): () => void {
  const timer = setInterval(beat, intervalMs).unref();
  return () => clearInterval(timer);
}
