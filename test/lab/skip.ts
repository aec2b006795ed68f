/** Skips the running test or suite and puts the reason where the report shows it. */
export function skipBecause(context: Mocha.Context, reason: string): never {
  const runnable = context.test ?? context.currentTest;
  if (runnable !== undefined) runnable.title += ` (skipped: ${reason})`;
  return context.skip();
}
