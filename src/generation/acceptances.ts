import { millis } from '../base/index.ts';
import type { Envelope } from '../message/index.ts';
import { type Clock, KeyValueError } from '../world/index.ts';
import type { ApiStore } from './api-store.ts';

/** What names a request that may come again: hashes, so that neither a key nor a body is kept. */
export interface Ticket {
  /** Of who sends it and of the key that they chose. */
  readonly key: string;
  /** Of what was asked for. */
  readonly request: string;
}

/** A request that was taken: its transmission is in the spool, or was. */
export interface Acceptance extends Ticket {
  readonly id: string;
  readonly accepted: number;
  readonly rejected: number;
}

/** How long a request that comes again is known, in milliseconds. */
export const REMEMBERED = 24 * 3_600_000;
/** Requests that are known; beyond it the oldest are forgotten. */
export const MOST_REMEMBERED = 1_000_000;
/** Old ones that go with each write, at most; more than one, so that there is an end to them. */
const FORGOTTEN_AT_ONCE = 500;

/** In the message context of what the spool holds: there before anybody is told that it was taken. */
const VARIABLE = 'impetus_idempotency';

interface Entry extends Acceptance {
  /** When it was taken, in milliseconds since the epoch. */
  readonly at: number;
}

export interface AcceptancesParts {
  readonly clock: Pick<Clock, 'date' | 'defer'>;
  readonly store: Pick<ApiStore, 'get' | 'scan' | 'write' | 'onReady'>;
  readonly most?: number;
}

/**
 * Requests that were taken, by their Idempotency-Key, over restarts.
 *
 * The spool has each together with what it asked for, in one record; from there it comes here before the first message of it
 * can be finished, and so before the spool may forget it. After a crash between the two it comes here from the spool.
 * What is in neither place was never taken.
 */
export class Acceptances {
  readonly #parts: AcceptancesParts;
  /** Taken, and not in the store yet. */
  readonly #owed = new Map<string, Entry>();
  #waits: (() => void)[] = [];
  #complete = false;

  constructor(parts: AcceptancesParts) {
    this.#parts = parts;
    parts.store.onReady(() => this.#write());
  }

  /** All that an earlier process took is known: until then a request that is not may yet turn out to be one that was. */
  get complete(): boolean {
    return this.#complete;
  }

  /** @throws KeyValueError */
  find(key: string): Acceptance | undefined {
    const owed = this.#owed.get(key);
    if (owed !== undefined) return owed;
    const text = this.#parts.store.get(ENTRY + key);
    const entry = text === undefined ? undefined : read(key, text);
    return entry === undefined || this.#old(entry) ? undefined : entry;
  }

  /** Resolves when it is in the store, or when the store cannot be used: then it is known here, and written later. */
  remember(acceptance: Acceptance): Promise<void> {
    this.#owe({ ...acceptance, at: this.#parts.clock.date() });
    // Those of one sync of the spool are one write, in the same turn.
    return new Promise((resolve) => {
      if (this.#waits.push(resolve) === 1) this.#parts.clock.defer(() => this.#write());
    });
  }

  /** What stands in the context of a reception that an earlier process left. */
  readmit({ protocol, context, receivedAt }: Envelope): void {
    // Clients of other doors may set variables of any name.
    const text = protocol === 'rest' || protocol === 'internal' ? context.message[VARIABLE] : undefined;
    const acceptance = text === undefined ? undefined : acceptanceOf(text);
    if (acceptance === undefined) return;
    const entry = { ...acceptance, at: receivedAt };
    if (!this.#old(entry) && !this.#known(entry)) this.#owe(entry);
    if (this.#owed.size >= FORGOTTEN_AT_ONCE) this.#write();
  }

  /** The spool is read to its end. */
  recovered(): void {
    this.#write();
    this.#complete = true;
  }

  #known({ key, id }: Entry): boolean {
    try {
      return this.find(key)?.id === id;
    } catch (error) {
      if (error instanceof KeyValueError) return false;
      throw error;
    }
  }

  #owe(entry: Entry): void {
    this.#owed.set(entry.key, entry);
  }

  #old({ at }: Entry): boolean {
    return at <= this.#parts.clock.date() - REMEMBERED;
  }

  #write(): void {
    const waits = this.#waits;
    this.#waits = [];
    try {
      if (this.#owed.size > 0) {
        const changes = this.#changes();
        this.#parts.store.write(changes);
        this.#owed.clear();
      }
    } catch (error) {
      // The store tells of its own trouble, and calls when it is over.
      if (!(error instanceof KeyValueError)) throw error;
    } finally {
      for (const resolve of waits) resolve();
    }
  }

  /** @throws KeyValueError */
  #changes(): readonly (readonly [string, string | undefined])[] {
    const { store, clock, most = MOST_REMEMBERED } = this.#parts;
    const changes: [string, string | undefined][] = [];
    let count = Number(store.get(COUNT) ?? 0);
    for (const entry of this.#owed.values()) {
      const { key, at, ...rest } = entry;
      changes.push([ENTRY + key, JSON.stringify({ ...rest, at })], [ageKey(entry), '']);
      count++;
    }
    const oldest = millis(clock.date() - REMEMBERED);
    // As many more as come: it never grows beyond the most.
    for (const { key: age } of store.scan(AGE, BEYOND, FORGOTTEN_AT_ONCE + this.#owed.size)) {
      const [at = 0, key = ''] = partsOf(age);
      if (at > oldest && count <= most) break;
      changes.push([age, undefined]);
      count--;
      const text = store.get(ENTRY + key);
      // The same key may have been taken again, a day later.
      if (text !== undefined && read(key, text).at === at && !this.#owed.has(key))
        changes.push([ENTRY + key, undefined]);
    }
    changes.push([COUNT, String(count)]);
    return changes;
  }
}

/** What goes into a message context, so that the spool has it. */
export const acceptanceContext = (acceptance: Acceptance | undefined): Readonly<Record<string, string>> => {
  if (acceptance === undefined) return {};
  const { key, request, id, accepted, rejected } = acceptance;
  return { [VARIABLE]: [key, request, id, accepted, rejected].join(' ') };
};

function acceptanceOf(text: string): Acceptance | undefined {
  const [key, request, id, accepted, rejected] = text.split(' ');
  if (key === undefined || request === undefined || id === undefined) return undefined;
  return { key, request, id, accepted: Number(accepted ?? 0), rejected: Number(rejected ?? 0) };
}

const ENTRY = 'idempotency\u0000';
const AGE = 'idempotency-age\u0000';
const BEYOND = 'idempotency-age\u0001';
/** How many ages there are. */
const COUNT = 'idempotency-count';
/** Milliseconds since the epoch have 13 digits until the year 2286. */
const DIGITS = 15;

const ageKey = ({ key, at }: Entry): string => `${AGE}${String(Math.floor(at)).padStart(DIGITS, '0')}\u0000${key}`;

const partsOf = (age: string): readonly [number, string] => [
  Number(age.slice(AGE.length, AGE.length + DIGITS)),
  age.slice(AGE.length + DIGITS + 1),
];

/** Only `#changes` writes them. */
const read = (key: string, text: string): Entry => ({ ...(JSON.parse(text) as Omit<Entry, 'key'>), key });
