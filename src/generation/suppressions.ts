import { pagesOf, type StoreDoor } from './api-store.ts';

export const SUPPRESSION_TYPES = ['transactional', 'non_transactional'] as const;
export type SuppressionType = (typeof SUPPRESSION_TYPES)[number];

export const SOURCES = [
  'Spam Complaint',
  'List Unsubscribe',
  'Bounce Rule',
  'Unsubscribe Link',
  'Manually Added',
  'Compliance',
] as const;
export type Source = (typeof SOURCES)[number];

/** Somebody who wants no mail of one kind; of one list only where `list_id` is not empty (RFC 2919). */
export interface Suppression {
  /** Lower case. */
  readonly recipient: string;
  readonly type: SuppressionType;
  readonly list_id: string;
  readonly source: Source;
  readonly description: string;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
}

/** Words of a refusal, as Momentum's customers know them (spec/http-api 9). */
export const SUPPRESSED = '554 5.7.1 recipient address was suppressed due to customer policy';

/** Entries of one address, of all its lists. */
const MOST_OF_ONE = 1000;

/** Who is not to be written to, in the store. Recipients are keys: lower case, local part and domain. */
export class Suppressions {
  readonly #store: StoreDoor;

  constructor(store: StoreDoor) {
    this.#store = store;
  }

  /** @param listId of the transmission; entries of other lists do not count */
  suppressed(recipient: string, transactional: boolean, listId: string): boolean {
    const wanted: SuppressionType = transactional ? 'transactional' : 'non_transactional';
    return this.of(recipient).some(
      ({ type, list_id: list }) => type === wanted && (list === '' || list === listId.toLowerCase()),
    );
  }

  of(recipient: string): readonly Suppression[] {
    const prefix = `${PREFIX}${recipient}\u0000`;
    return this.#store.scan(prefix, `${PREFIX}${recipient}\u0001`, MOST_OF_ONE).map(({ value }) => read(value));
  }

  /** All or none. What was known before keeps the time it was made. */
  put(entries: readonly Omit<Suppression, 'created' | 'updated'>[], now: string): void {
    this.#store.write(
      entries.map((entry) => {
        const key = keyOf(entry);
        const before = this.#store.get(key);
        const created = before === undefined ? now : read(before).created;
        return [key, JSON.stringify({ ...entry, created, updated: now } satisfies Suppression)] as const;
      }),
    );
  }

  remove(entries: readonly Suppression[]): void {
    this.#store.write(entries.map((entry) => [keyOf(entry), undefined] as const));
  }

  /** Page by page, so that whoever walks through millions can let others have their turn between two. */
  *pages(): Generator<readonly Suppression[]> {
    for (const entries of pagesOf(this.#store, PREFIX, BEYOND)) yield entries.map(({ value }) => read(value));
  }
}

const PREFIX = 'suppression\u0000';
const BEYOND = 'suppression\u0001';

const keyOf = ({ recipient, type, list_id: list }: Pick<Suppression, 'recipient' | 'type' | 'list_id'>): string =>
  `${PREFIX}${recipient}\u0000${list}\u0000${type}`;

/** Only `put` writes them. */
const read = (value: string): Suppression => JSON.parse(value) as Suppression;
