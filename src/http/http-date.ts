import { mailDate } from '../message/index.ts';
import type { Clock } from '../world/index.ts';

/** RFC 9110 5.6.7, made once a second. */
export class HttpDate {
  readonly #clock: Pick<Clock, 'date'>;
  #second = Number.NaN;
  #text = '';

  constructor(clock: Pick<Clock, 'date'>) {
    this.#clock = clock;
  }

  text(): string {
    const at = this.#clock.date();
    const second = Math.floor(at / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = mailDate(at).replace('+0000', 'GMT');
    }
    return this.#text;
  }
}
