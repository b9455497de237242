import { createHash } from 'node:crypto';
import type { Clock } from '../../src/world/index.ts';

/** What happened, line by line. The same seed writes the same lines, byte for byte. */
export class Journal {
  readonly lines: string[] = [];
  readonly #clock: Clock;
  /** Called with each line as it is written. */
  readonly #hear: ((line: string) => void) | undefined;

  constructor(clock: Clock, hear?: (line: string) => void) {
    this.#clock = clock;
    this.#hear = hear;
  }

  /** @param who  a word: `server`, `sink`, `source`, `operator`, `weather` … */
  note(who: string, what: string): void {
    const line = `${(this.#clock.now() / 1000).toFixed(4).padStart(10)}  ${who.padEnd(9)} ${what}`;
    this.lines.push(line);
    this.#hear?.(line);
  }

  get digest(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex');
  }
}
