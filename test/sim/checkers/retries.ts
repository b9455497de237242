import type { Domain } from '../../../src/base/index.ts';
import { bindingName } from '../../../src/base/index.ts';
import type { Generation, View } from '../../../src/config/index.ts';
import type { AttemptEvent } from '../../../src/events/index.ts';
import { maxRetryInterval, messageExpiration, retryInterval } from '../../../src/queue/index.ts';
import type { Crashes } from '../crashes.ts';
import type { RetryMark, Track } from '../records.ts';
import type { Violations } from '../violations.ts';

interface RetriesParts {
  readonly now: () => number;
  readonly crashes: Crashes;
  readonly violations: Violations;
  readonly current: () => Generation;
}

/** Half a millisecond: times are sums of fractions. */
const EPSILON = 0.5;

/**
 * Retry and expiry times are kept: no attempt before `retry_interval` times two to the number of failures unless an
 * operator asked for it, every failure counted, and none deferred again beyond its expiration.
 */
export class Retries {
  readonly #parts: RetriesParts;

  constructor(parts: RetriesParts) {
    this.#parts = parts;
  }

  /** A server that starts trusts no retry time beyond `max_retry_interval`: the clock may have been wrong. */
  started(tracks: Iterable<Track>): void {
    for (const track of tracks) {
      const longest = this.#parts.now() + this.#view(track.domain).get(maxRetryInterval) * 1000;
      for (const mark of track.failures) mark.due = Math.min(mark.due, longest);
    }
  }

  /** D, T or P. */
  attempted(track: Track, event: AttemptEvent): void {
    const { crashes, now, violations } = this.#parts;
    // What a start could not read comes back at a later one, with counts of its own.
    const blind = crashes.blindSince(Number.NEGATIVE_INFINITY);
    const state = this.#states(track).find((mark) => (mark === undefined ? 0 : mark.retries + 1) === event.retries);
    if (!blind && state === undefined && event.retries !== 0) {
      const last = track.failures.at(-1);
      const expected = last === undefined ? 0 : last.retries + 1;
      violations.report('retries', `${track.key} has ${event.retries} retries in its ${event.kind}, not ${expected}`);
      return;
    }
    if (!blind && state === undefined && !this.#states(track).includes(undefined)) {
      violations.report('retries', `${track.key} has forgotten its ${track.failures.length} failures`);
      return;
    }
    if (event.kind !== 'transient') return;
    const view = this.#view(event.routingDomain);
    const wait = Math.min(view.get(retryInterval) * 2 ** event.retries, view.get(maxRetryInterval)) * 1000;
    const deadline = now() - event.queuedSeconds * 1000 + view.get(messageExpiration) * 1000;
    if (now() >= deadline + EPSILON)
      violations.report('expiry', `${track.key} is deferred ${(now() - deadline) / 1000} s after its expiration`);
    // What a crash has undone is forgotten: the count goes on from what was left.
    track.failures.length = state === undefined ? 0 : track.failures.indexOf(state) + 1;
    track.failures.push({ at: now(), retries: event.retries, due: Math.min(now() + wait, deadline) });
  }

  /** RCPT for it was sent to a peer. */
  tried(track: Track, sentAt: number): void {
    if (track.flushing > 0) return;
    const states = this.#states(track);
    if (states.some((mark) => mark === undefined || track.flushedAt >= mark.at || sentAt >= mark.due - EPSILON)) return;
    // A command that was on its way when its session ended belongs to the attempt that has failed.
    if (states.every((mark) => mark !== undefined && sentAt <= mark.at)) return;
    const due = Math.min(...states.map((mark) => mark?.due ?? 0));
    this.#parts.violations.report('retries', `${track.key} is tried ${(due - sentAt) / 1000} s too early`);
  }

  #view(domain: string): View {
    const generation = this.#parts.current();
    return generation.sending(generation.groupOf(DEFAULT), DEFAULT, domain as Domain);
  }

  /** Failures that may be its last, latest first; undefined: none that the server remembers. */
  #states(track: Track): readonly (RetryMark | undefined)[] {
    const states: (RetryMark | undefined)[] = [];
    for (let at = track.failures.length - 1; at >= 0; at--) {
      const mark = track.failures[at];
      if (mark === undefined) break;
      states.push(mark);
      if (!this.#parts.crashes.excuse(mark.at)) return states;
    }
    states.push(undefined);
    return states;
  }
}

const DEFAULT = bindingName('default');
