import { countReceived, HeaderScanner } from '../../message/index.ts';

/** RFC 5321 §6.3 asks for a guard at no fewer than 100: that many are a loop. */
export const MOST_RECEIVED = 99;
/** A header with 100 Received fields is at least this long, so most headers need no counting. */
const SHORTEST_LOOP = (MOST_RECEIVED + 1) * 'Received:\r\n'.length;
/** A header that goes on after so much is judged by what came. */
const MOST_HEADER_BYTES = 262_144;

/** What was found about the header of a message, once all of it is here. */
export interface HeaderFacts {
  /** Bytes of the header with the blank line behind it. */
  readonly length: number;
  readonly looping: boolean;
}

/**
 * Keeps the first views of a body until the header is known. Nothing is copied and, for a short header, nothing is read
 * but the search for its end.
 */
export class HeaderWatch {
  #views: Uint8Array[] = [];
  #kept = 0;

  see(view: Uint8Array): void {
    if (this.#kept >= MOST_HEADER_BYTES) return;
    this.#views.push(view);
    this.#kept += view.length;
  }

  facts(): HeaderFacts {
    const length = this.#length();
    return { length, looping: length >= SHORTEST_LOOP && countReceived(this.#first(length)) > MOST_RECEIVED };
  }

  /** The header with its blank line, and no more. */
  text(): string {
    return this.#first(this.#length()).toString('latin1');
  }

  #length(): number {
    const scanner = new HeaderScanner();
    for (const view of this.#views) if (scanner.feed(view)) break;
    return scanner.length ?? this.#kept;
  }

  #first(length: number): Buffer {
    return Buffer.concat(this.#views, length);
  }
}
