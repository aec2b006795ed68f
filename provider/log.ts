/** Where one resource's messages go. The display decides how they look. */
export interface Log {
  /** What is happening now; shown live in the resource's row, gone after the run. One line. */
  progress(line: string): void;
  /** What a person will want to read after the run. May have several lines. */
  keep(text: string): void;
  /** As `keep`, but marked as a warning. */
  warn(text: string): void;
  /** Remote commands and API calls with time and output; shown with SLIPWAY_DEBUG=1 only. */
  debug(text: string): void;
}

const nothing = (): void => {};

/** A log that drops everything. */
export const silentLog: Log = { progress: nothing, keep: nothing, warn: nothing, debug: nothing };

/** True when the user asked for every remote command and API call (`SLIPWAY_DEBUG=1`). */
export function debugWanted(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment.SLIPWAY_DEBUG === "1";
}
