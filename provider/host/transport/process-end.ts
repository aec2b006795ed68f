let listening = false;

/**
 * Calls `sayGoodbye` on SIGINT and SIGTERM, where what is in use may finish its clean-up, and when the process ends in
 * whatever other way: what is written then still goes out. A signal that nobody else handles does what it would have done.
 */
export function beforeProcessEnds(sayGoodbye: () => void): void {
  if (listening) return;
  listening = true;
  process.once("exit", sayGoodbye);
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      sayGoodbye();
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    });
  }
}
