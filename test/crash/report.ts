import type { Duplicate, Excuse } from './judge.ts';
import { nameOf } from './plan.ts';
import type { RoundResult } from './trial.ts';

interface Row {
  rounds: number;
  reached: number;
  acknowledged: number;
  longestOpen: number;
  duplicates: number;
}

const excuses: readonly Excuse[] = ['the peer vanished', 'died before it heard', 'died before the note was durable'];

/** Sums by point, in the order in which points came by first. */
export class Report {
  readonly #rows = new Map<string, Row>();
  readonly #pointOf = new Map<number, string>();
  readonly #excuses = new Map<Excuse, number>();
  rounds = 0;
  acknowledged = 0;
  judged = 0;
  lost = 0;

  add(result: RoundResult): void {
    const name = nameOf(result.plan);
    const row = this.#rows.get(name) ?? { rounds: 0, reached: 0, acknowledged: 0, longestOpen: 0, duplicates: 0 };
    this.#rows.set(name, row);
    this.#pointOf.set(result.round, name);
    this.rounds++;
    this.acknowledged += result.acknowledged;
    row.rounds++;
    if (result.reached) row.reached++;
    row.acknowledged += result.acknowledged;
    row.longestOpen = Math.max(row.longestOpen, result.longestOpen);
  }

  judge(verdict: {
    readonly acknowledged: number;
    readonly lost: readonly string[];
    readonly duplicates: readonly Duplicate[];
  }): void {
    this.judged += verdict.acknowledged;
    this.lost += verdict.lost.length;
    for (const { round, excuse } of verdict.duplicates) {
      this.#excuses.set(excuse, (this.#excuses.get(excuse) ?? 0) + 1);
      const row = this.#rows.get(this.#pointOf.get(round) ?? '');
      if (row !== undefined && excuse !== 'the peer vanished') row.duplicates++;
    }
  }

  /** A Markdown table and two lines. */
  text(): string {
    const lines = [
      '| killed at | rounds | died there | acknowledged | duplicates by the kill | longest known, not on disk, ms |',
      '|---|--:|--:|--:|--:|--:|',
      ...[...this.#rows].map(
        ([name, row]) =>
          `| ${name} | ${row.rounds} | ${row.reached} | ${row.acknowledged} | ${row.duplicates} | ${row.longestOpen.toFixed(0)} |`,
      ),
      '',
      `${this.rounds} rounds, ${this.judged} messages acknowledged, ${this.lost} recipients lost`,
      `duplicates: ${excuses.map((excuse) => `${this.#excuses.get(excuse) ?? 0} ${excuse}`).join(', ')}`,
    ];
    return lines.join('\n');
  }
}
