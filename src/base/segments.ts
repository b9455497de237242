/** A chain of views (Momentum's growbufs). Whoever holds one never joins it on the hot path. */
export type Segments = readonly Uint8Array[];

/** @returns bytes in all views together */
export function bytesIn(segments: Segments): number {
  let sum = 0;
  for (const view of segments) sum += view.length;
  return sum;
}

/** Joins a chain into one buffer: for tests, consoles and small things. */
export function joined(segments: Segments): Buffer {
  return Buffer.concat(segments as Uint8Array[]);
}
