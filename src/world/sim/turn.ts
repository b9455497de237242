/**
 * Resolves when all promises that can settle have settled. Only a real turn of the event loop guarantees that: counting
 * microtasks would miss the longest chain. It is the one thing that a simulation takes from the real machine. A turn in
 * which the machine has nothing to do costs 0.9 µs (Node 24): cheaper than what any event of a server starts.
 */
export function turnEnd(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
