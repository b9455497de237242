/**
 * Loaded into a server with `--import`: writes how long its loop was kept, and its garbage collections, one line of JSON
 * for each 50 ms to the file that IMPETUS_LAG_FILE names. Milliseconds.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

export interface Lag {
  /** Since the epoch. */
  readonly at: number;
  /** Longest time that a timer of 1 ms was late. */
  readonly most: number;
  /** Longest collection of garbage. */
  readonly collection: number;
}

const EVERY = 50;
const path = process.env['IMPETUS_LAG_FILE'];
if (path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let collection = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collection = Math.max(collection, duration);
  }).observe({ entryTypes: ['gc'] });
  delay.enable();
  setInterval(() => {
    const lag: Lag = { at: Date.now(), most: Math.max(0, delay.max / 1e6 - 1), collection };
    delay.reset();
    collection = 0;
    appendFileSync(path, `${JSON.stringify(lag)}\n`);
  }, EVERY).unref();
}
