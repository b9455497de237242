import type { Fields } from '../templates/index.ts';
import type { Clock } from '../world/index.ts';
import { pagesOf, type StoreDoor } from './api-store.ts';
import { readRecipient } from './recipients.ts';
import { Trouble } from './trouble.ts';

/** A list without its recipients. */
export interface ListEntry {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: Fields;
  readonly recipients: number;
  /** Names the pages that hold now. */
  readonly version: string;
}

export interface ListEdit {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly attributes?: Fields | undefined;
  readonly recipients?: readonly unknown[] | undefined;
}

/** What came of the recipients of an edit. */
export interface ListOutcome {
  readonly entry: ListEntry;
  readonly rejected: number;
  /** Why, of the first of them. */
  readonly errors: readonly Trouble[];
}

export const MOST_IN_LIST = 100_000;
/** Recipients of one page: written, and read, in one go. */
const PAGE = 500;
const MOST_OF_PAGE = 1_048_576;

export interface RecipientListsParts {
  readonly store: StoreDoor;
  readonly clock: Pick<Clock, 'date'>;
  /** Lets mail have its turn. */
  readonly turn: () => Promise<void>;
}

/**
 * Recipients that are kept, page by page. New ones are written beside the old, and hold with one write: a crash before it
 * changes nothing. Each call @throws KeyValueError
 */
export class RecipientLists {
  readonly #parts: RecipientListsParts;
  /** Lists that somebody reads or writes. */
  readonly #busy = new Map<string, number>();
  #versions = 0;

  constructor(parts: RecipientListsParts) {
    this.#parts = parts;
  }

  find(id: string): ListEntry | undefined {
    const text = this.#parts.store.get(ENTRY + id);
    return text === undefined ? undefined : (JSON.parse(text) as ListEntry);
  }

  /** All of them, page by page. */
  *pages(): Generator<readonly ListEntry[]> {
    for (const entries of pagesOf(this.#parts.store, ENTRY, BEYOND))
      yield entries.map(({ value }) => JSON.parse(value) as ListEntry);
  }

  /** @param mostErrors most that are told @throws Trouble 5001, 5002, 1300 */
  async create(
    id: string,
    edit: ListEdit & { readonly recipients: readonly unknown[] },
    mostErrors: number,
  ): Promise<ListOutcome> {
    if (this.find(id) !== undefined || this.#busy.has(id)) throw new Trouble('5001', `there is a list ${id} already`);
    const { name = id, description = '', attributes = {} } = edit;
    return this.#written(
      { id, name, description, attributes, recipients: 0, version: '' },
      edit.recipients,
      mostErrors,
    );
  }

  /** What is given takes the place of what was. @throws Trouble 1602, 5002, 1300 */
  async update(before: ListEntry, edit: ListEdit, mostErrors: number): Promise<ListOutcome> {
    this.#free(before.id);
    const entry = {
      ...before,
      name: edit.name ?? before.name,
      description: edit.description ?? before.description,
      attributes: edit.attributes ?? before.attributes,
    };
    if (edit.recipients !== undefined) return this.#written(entry, edit.recipients, mostErrors);
    this.#parts.store.write([[ENTRY + entry.id, JSON.stringify(entry)]]);
    return { entry, rejected: 0, errors: [] };
  }

  /** @throws Trouble 1602 */
  async remove({ id }: ListEntry): Promise<void> {
    this.#free(id);
    using _ = this.#hold(id);
    this.#parts.store.write([[ENTRY + id, undefined]]);
    await this.#sweep(id, undefined);
  }

  /** The recipients as they were given, page by page; the list stays as it is meanwhile. */
  async *recipients({ id }: Pick<ListEntry, 'id'>): AsyncGenerator<readonly unknown[]> {
    using _ = this.#hold(id);
    // Whoever asks for the first page may do so a while after they have found the list.
    const now = this.find(id);
    if (now === undefined) return;
    const from = pageKey(id, now.version);
    for (const entries of pagesOf(this.#parts.store, from, `${from}\uffff`, 1)) {
      for (const { value } of entries) yield JSON.parse(value) as readonly unknown[];
      await this.#parts.turn();
    }
  }

  async #written(before: ListEntry, given: readonly unknown[], mostErrors: number): Promise<ListOutcome> {
    const { store, clock, turn } = this.#parts;
    if (given.length > MOST_IN_LIST) throw new Trouble('1300', `a list has ${MOST_IN_LIST} recipients at most`);
    const { id } = before;
    using _ = this.#hold(id);
    const version = `${Math.floor(clock.date())}-${++this.#versions}`;
    const errors: Trouble[] = [];
    let recipients = 0;
    let rejected = 0;
    let page: string[] = [];
    let size = 0;
    let pages = 0;
    const flush = async (): Promise<void> => {
      if (page.length === 0) return;
      store.write([[`${pageKey(id, version)}${String(pages++).padStart(6, '0')}`, `[${page.join(',')}]`]]);
      page = [];
      size = 0;
      await turn();
    };
    for (const each of given) {
      try {
        readRecipient(each);
        const text = JSON.stringify(each);
        page.push(text);
        size += text.length;
        recipients++;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        rejected++;
        if (errors.length < Math.max(mostErrors, 1)) errors.push(error);
      }
      if (page.length === PAGE || size > MOST_OF_PAGE) await flush();
    }
    await flush();
    if (recipients === 0) throw new NobodyLeft(errors);
    const entry = { ...before, recipients, version };
    store.write([[ENTRY + id, JSON.stringify(entry)]]);
    await this.#sweep(id, version);
    return { entry, rejected, errors };
  }

  /** Pages that hold no more, also those that an earlier process did not come to the end of. */
  async #sweep(id: string, version: string | undefined): Promise<void> {
    const { store, turn } = this.#parts;
    const kept = version === undefined ? undefined : pageKey(id, version);
    for (const entries of pagesOf(store, `${PAGES}${id}\u0000`, `${PAGES}${id}\u0001`, 20)) {
      store.write(
        entries.filter(({ key }) => kept === undefined || !key.startsWith(kept)).map(({ key }) => [key, undefined]),
      );
      await turn();
    }
  }

  #free(id: string): void {
    if (this.#busy.has(id)) throw new Trouble('1602', `list ${id} is in use`);
  }

  #hold(id: string): Disposable {
    this.#busy.set(id, (this.#busy.get(id) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#busy.get(id) ?? 1) - 1;
        if (left === 0) this.#busy.delete(id);
        else this.#busy.set(id, left);
      },
    };
  }
}

/** None of the recipients can have mail. */
export class NobodyLeft extends Trouble {
  readonly errors: readonly Trouble[];
  constructor(errors: readonly Trouble[]) {
    super('5002', 'none of the recipients is valid');
    this.errors = errors;
  }
}

const ENTRY = 'list\u0000';
const BEYOND = 'list\u0001';
const PAGES = 'list-page\u0000';
const pageKey = (id: string, version: string): string => `${PAGES}${id}\u0000${version}\u0000`;
