/** Resolves when all that is ready in this turn of the event loop, promises included, has run. */
export function turnEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
