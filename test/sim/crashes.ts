import type { DiskOperation } from '../../src/world/sim/index.ts';
import { SPOOL } from './places.ts';
import type { Plan } from './plan.ts';

/** The spool writes done and state records at most this long after they were said (spec: delivery 2.6). */
const NOTES_WAIT = 50;
/** What a write, a sync and a new segment may take more than the disk's own time. */
const SLACK = 20;
/** Longer than the server needs to say, behind a failed sync, what of it never happened; with a disk that goes on failing. */
const FORSAKEN = 10_000;

/**
 * When the server died, and what of its spool was safe by then. Between an event and the sync that covers its record
 * lies the documented window in which a crash brings the message back.
 */
export class Crashes {
  readonly #deaths: { readonly at: number; readonly clean: boolean }[] = [];
  /** Batches that reached the disk for good: when their write began, and when they were safe. */
  readonly #covers: { readonly began: number; readonly ended: number }[] = [];
  readonly #troubles: number[] = [];
  /** When a start could not read all of the spool: what stands there is not known until the next one. */
  readonly #blind: number[] = [];
  #forsakenAt = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;
  readonly #longest: number;
  /** What makes a record safe from the deaths of this seed. */
  readonly #covering: DiskOperation;
  /** Writes that are not synced yet: by path, when they began. */
  readonly #writing = new Map<string, number>();

  constructor(plan: Plan, now: () => number) {
    this.#now = now;
    const most = ({ latencyMillis, shortMillis }: Plan['disk']): number =>
      largest(latencyMillis) + largest(shortMillis);
    this.#covering = plan.syncs ? 'sync' : 'write';
    this.#longest = NOTES_WAIT + SLACK + 8 * most(plan.disk) * (plan.troubles.diskSlow ? SLOWNESS : 1);
  }

  /** @param clean ended in order, with everything written */
  died(clean: boolean): void {
    // A failed sync has taken pages from the platter that the next process still reads, and cannot save any more.
    if (!clean && this.#now() - this.#forsakenAt < FORSAKEN) this.couldNotRead();
    this.#deaths.push({ at: this.#now(), clean });
    this.#writing.clear();
  }

  get count(): number {
    return this.#deaths.length;
  }

  /** Some of the spool could not be read, and the server has said so. */
  couldNotRead(): void {
    this.#blind.push(this.#now());
  }

  blindSince(at: number): boolean {
    return this.#blind.some((when) => when >= at);
  }

  diedSince(at: number): boolean {
    return this.#deaths.some((death) => death.at >= at);
  }

  began(operation: DiskOperation, path: string): void {
    if (operation !== 'write' || !isSegment(path)) return;
    // What is written to an older segment beside this is its index: it covers nothing.
    for (const other of this.#writing.keys()) if (other < path) this.#writing.delete(other);
    this.#writing.set(path, this.#now());
  }

  ended(operation: DiskOperation, path: string, trouble: unknown): void {
    if (trouble !== undefined && path.startsWith(SPOOL)) this.#troubles.push(this.#now());
    if (trouble !== undefined && operation === 'sync' && isSegment(path)) this.#forsakenAt = this.#now();
    const began = this.#writing.get(path);
    if (operation !== this.#covering || began === undefined) return;
    if (trouble === undefined) this.#covers.push({ began, ended: this.#now() });
    this.#writing.delete(path);
  }

  /** @returns how often the spool's disk went wrong in that time */
  troublesIn(from: number, to: number): number {
    return this.#troubles.filter((at) => at >= from && at <= to).length;
  }

  /** @returns whether the server died so soon after that moment that what it noted then may be lost */
  excuse(at: number): boolean {
    return this.blindSince(at) || this.#deaths.some((death) => death.at >= at && this.#lost(at, death));
  }

  /** @returns whether the server died so soon after that moment that a note which waited for a message is not on disk */
  soonAfter(at: number): boolean {
    return this.#deaths.some((death) => !death.clean && death.at >= at && death.at - at <= 2 * this.#longest);
  }

  #lost(at: number, death: { readonly at: number; readonly clean: boolean }): boolean {
    const troubled = this.troublesIn(at - 2000, death.at) > 0;
    if (death.clean && !troubled) return false;
    if (!troubled && death.at - at > this.#longest) return false;
    return !this.#covers.some((cover) => cover.began > at && cover.ended <= death.at);
  }
}

/** How much slower a slow disk is. */
export const SLOWNESS = 20;

const isSegment = (path: string): boolean => path.startsWith(SPOOL) && path.endsWith('.seg');

export const largest = (setting: number | readonly [number, number]): number =>
  typeof setting === 'number' ? setting : setting[1];
