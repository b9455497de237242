import type { Millis } from '../../base/index.ts';
import type { Stanza } from '../tree/stanza.ts';

/** How a generation came about. */
export type Origin =
  | { readonly kind: 'start' | 'reload'; readonly file: string }
  /** One command, as typed behind `config`. */
  | { readonly kind: 'command'; readonly line: string }
  /** A transaction of so many commands. */
  | { readonly kind: 'commit'; readonly commands: number }
  | { readonly kind: 'rollback'; readonly to: number };

/** A generation that is or was live. */
export interface Past {
  readonly number: number;
  /** When it became live, milliseconds since the epoch. */
  readonly date: Millis;
  readonly origin: Origin;
  /** `console /run/impetus/2025`, `SIGHUP`. */
  readonly who: string;
  /** Settings that differ from the generation before; 0 for the first. */
  readonly differences: number;
  readonly tree: Stanza;
}

export const HISTORY_LIMITS = {
  generations: 100,
  /** Stanzas kept for earlier generations only. They share what did not change; a reload of a large file may change most of it. */
  stanzas: 500_000,
} as const;

/** The generations of this run, as far as they are kept: the last hundred, or fewer when they are very large. */
export class History {
  readonly #limits: { readonly generations: number; readonly stanzas: number };
  readonly #kept: { readonly past: Past; readonly fresh: number }[] = [];

  constructor(limits: { readonly generations: number; readonly stanzas: number } = HISTORY_LIMITS) {
    this.#limits = limits;
  }

  /** Oldest first; the last one is live. */
  get all(): readonly Past[] {
    return this.#kept.map(({ past }) => past);
  }

  find(number: number): Past | undefined {
    return this.#kept.find(({ past }) => past.number === number)?.past;
  }

  /** @param fresh stanzas that the generation before does not have */
  add(past: Past, fresh: number): void {
    this.#kept.push({ past, fresh });
    while (this.#kept.length > this.#limits.generations || this.#stanzas > this.#limits.stanzas) {
      if (this.#kept.length === 1) return;
      this.#kept.shift();
    }
  }

  /** Beside those of one whole tree, the oldest: each later one adds what is its own. */
  get #stanzas(): number {
    return this.#kept.slice(1).reduce((sum, { fresh }) => sum + fresh, 0);
  }
}

/** `reload of /etc/impetus/impetus.conf`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'start':
      return `start with ${origin.file}`;
    case 'reload':
      return `reload of ${origin.file}`;
    case 'command':
      return origin.line;
    case 'commit':
      return `commit of ${origin.commands} ${origin.commands === 1 ? 'command' : 'commands'}`;
    case 'rollback':
      return `rollback to ${origin.to}`;
  }
}
