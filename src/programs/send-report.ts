import type { Millis } from '../base/index.ts';

/** Durations that are kept for percentiles; beyond it a sample of them. */
const MOST_KEPT = 200_000;

/** Durations of final replies. */
export class Durations {
  readonly #kept: number[] = [];
  #count = 0;

  /** @param chance  a number in [0, 1) */
  add(took: Millis, chance: number): void {
    this.#count++;
    if (this.#kept.length < MOST_KEPT) {
      this.#kept.push(took);
      return;
    }
    // Reservoir sampling: each duration so far has the same chance to be among those kept.
    const place = Math.floor(chance * this.#count);
    if (place < MOST_KEPT) this.#kept[place] = took;
  }

  /** @param share  0.5 for the median  @returns milliseconds; undefined when there are none */
  percentile(share: number): number | undefined {
    if (this.#kept.length === 0) return undefined;
    const sorted = Float64Array.from(this.#kept).sort();
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  }
}

/** `1,234`: thousands apart, as people read them. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `12.3 ms`, `1.20 s` */
export function durationText(value: number): string {
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** `8 s`, `2 min 5 s`, `1 h 3 min`: rounded up, since it is a promise. */
export function remainingText(value: number): string {
  const seconds = Math.ceil(value / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/**
 * One line that shows how far a batch is: `1,200 of 20,000 (6 %), 3,210 messages/s, 6 s left`.
 *
 * @param recent  messages a second, of the last moments: what the estimate is made with
 */
export function progressLine(done: number, count: number, recent: number): string {
  const share = count === 0 ? 100 : Math.floor((100 * done) / count);
  const left = recent > 0 ? `, ${remainingText(((count - done) / recent) * 1000)} left` : '';
  return `${grouped(done)} of ${grouped(count)} (${share} %), ${grouped(recent)} messages/s${left}`;
}

/** The closing lines of a batch. */
export function summary(ended: {
  readonly accepted: number;
  readonly refused: number;
  readonly unknown: number;
  readonly unsent: number;
  readonly took: number;
  readonly durations: Durations;
}): string {
  const rate = ended.took > 0 ? (ended.accepted * 1000) / ended.took : 0;
  const lines = [`${grouped(ended.accepted)} accepted in ${durationText(ended.took)}: ${grouped(rate)} messages/s`];
  const others = [
    ended.refused > 0 ? `${grouped(ended.refused)} refused` : '',
    ended.unknown > 0 ? `${grouped(ended.unknown)} without a final reply` : '',
    ended.unsent > 0 ? `${grouped(ended.unsent)} not sent` : '',
  ].filter((text) => text !== '');
  if (others.length > 0) lines.push(others.join(', '));
  const [half, most] = [ended.durations.percentile(0.5), ended.durations.percentile(0.99)];
  if (half !== undefined && most !== undefined)
    lines.push(`final reply after ${durationText(half)} (p50), ${durationText(most)} (p99)`);
  return `${lines.join('\n')}\n`;
}

/** What a server says must not steer the terminal it is shown on. */
export const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
