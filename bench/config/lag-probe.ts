/**
 * Loaded into a server with `--import`: writes how long its loop was kept, and its collections of garbage, one line of
 * JSON for each 50 ms to the file that IMPETUS_LAG_FILE names. Milliseconds.
 */
import { appendFileSync } from 'node:fs';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

export interface Lag {
  /** Since the epoch. */
  readonly at: number;
  /** Longest time between two ticks of a timer of 1 ms, without that. */
  readonly most: number;
  /** Most that the loop's thread worked between two ticks: what others did to the machine is not in it. */
  readonly work: number;
  /** Longest collection of the young generation, and of all. */
  readonly young: number;
  readonly old: number;
}

const EVERY = 50;
const path = process.env.IMPETUS_LAG_FILE;
if (path !== undefined) {
  const worst = { most: 0, work: 0, young: 0, old: 0 };
  let used = process.threadCpuUsage();
  let last = performance.now();
  let told = last;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } };
      const generation = detail.kind === constants.NODE_PERFORMANCE_GC_MINOR ? 'young' : 'old';
      worst[generation] = Math.max(worst[generation], duration);
    }
  }).observe({ entryTypes: ['gc'] });
  setInterval(() => {
    const now = performance.now();
    const use = process.threadCpuUsage();
    worst.most = Math.max(worst.most, now - last - 1);
    worst.work = Math.max(worst.work, (use.user + use.system - used.user - used.system) / 1000);
    last = now;
    used = use;
    if (now - told < EVERY) return;
    told = now;
    const lag: Lag = { at: Date.now(), ...worst };
    Object.assign(worst, { most: 0, work: 0, young: 0, old: 0 });
    appendFileSync(path, `${JSON.stringify(lag)}\n`);
  }, 1).unref();
}
