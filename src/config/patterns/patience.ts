import { placeText } from '../errors.ts';
import type { PatternHost, Place } from '../option.ts';

const MINUTE = 60_000;
/** Times that a pattern may give up within a minute, ten milliseconds each, before it is passed over. */
const MOST_TIMES = 5;

/** What a pattern does about searches that took too long: it says so once a minute, and if that goes on, rests. */
export class Patience {
  readonly #source: string;
  readonly #place: Place | undefined;
  readonly #host: PatternHost | undefined;
  #since = Number.NEGATIVE_INFINITY;
  #times = 0;

  constructor(source: string, place: Place | undefined, host: PatternHost | undefined) {
    this.#source = source;
    this.#place = place;
    this.#host = host;
  }

  /** Whether the pattern is passed over for now. */
  get lost(): boolean {
    return this.#times >= MOST_TIMES && this.#host !== undefined && this.#host.now() < this.#since + MINUTE;
  }

  /** @param length of the text, in characters */
  lose(length: number): void {
    const now = this.#host?.now() ?? 0;
    if (!(now < this.#since + MINUTE)) {
      this.#since = now;
      this.#times = 0;
    }
    this.#times++;
    if (this.#times === 1)
      this.#tell(`gave up on a text of ${length} characters, which counts as no match; write it with less repetition`);
    else if (this.#times === MOST_TIMES) {
      const seconds = Math.ceil((this.#since + MINUTE - now) / 1000);
      this.#tell(`gave up ${MOST_TIMES} times within a minute: for ${seconds} seconds it matches nothing`);
    }
  }

  #tell(text: string): void {
    const where = this.#place ? `${placeText(this.#place)}: ` : '';
    const shown = this.#source.length > 80 ? `${this.#source.slice(0, 77)}...` : this.#source;
    this.#host?.tell(`${where}the regular expression /${shown}/ ${text}`);
  }
}
