import type { Sources } from '../files/sources.ts';
import type { Place } from '../option.ts';
import type { Schema } from '../schema/schema.ts';
import type { Item, StanzaItem } from '../text/items.ts';
import { type OptionSpan, type Span, type StanzaSpan, spansOf } from '../text/spans.ts';
import { canonicalInstance } from '../tree/instance.ts';
import { keyBelow, type Step } from '../tree/stanza.ts';

/** One assignment in a file. `order` counts in the order of reading, over all files. */
export interface AssignmentSpot {
  readonly file: string;
  readonly at: Place;
  readonly span: OptionSpan;
  readonly order: number;
}

/** One appearance of a stanza in a file. What is put in front of its `}` is read at `endOrder`. */
export interface StanzaSpot {
  readonly file: string;
  readonly at: Place;
  readonly span: StanzaSpan;
  readonly order: number;
  readonly endOrder: number;
}

/** The stanza that the items of a file belong to. What is put at its end is read at `endOrder`. */
export interface FileSpot {
  readonly key: string;
  readonly endOrder: number;
}

/** Where everything stands in the files. Stanzas go by the key of their path. */
export interface Layout {
  readonly stanzas: ReadonlyMap<string, readonly StanzaSpot[]>;
  readonly files: ReadonlyMap<string, FileSpot>;
  /** The `/regex/` stanzas of one type in a stanza, by first appearance. */
  patterns(key: string, type: string): readonly { readonly key: string; readonly order: number }[];
  /** In the order of reading. */
  assignments(key: string, name: string): readonly AssignmentSpot[];
}

/** The key that the stanza at a path has in every tree. */
export function keyOf(steps: readonly Step[]): string {
  let key = 'global';
  for (const step of steps) key = keyBelow(key, step.type, step.instance);
  return key;
}

/**
 * @param sources files without an error, read with their texts
 * @param localChanges the file that is read last, if there is one
 */
export function layoutOf(sources: Sources, schema: Schema, localChanges: string | undefined): Layout {
  const walker = new Walker(sources, schema);
  walker.file(sources.main, 'global', 'global');
  if (localChanges !== undefined) walker.file(localChanges, 'global', 'global');
  return walker;
}

class Walker implements Layout {
  readonly #sources: Sources;
  readonly #schema: Schema;
  readonly #spans = new Map<string, readonly Span[]>();
  readonly #assignments = new Map<string, AssignmentSpot[]>();
  readonly #patterns = new Map<string, { key: string; order: number }[]>();
  readonly stanzas = new Map<string, StanzaSpot[]>();
  readonly files = new Map<string, FileSpot>();
  #order = 0;

  constructor(sources: Sources, schema: Schema) {
    this.#sources = sources;
    this.#schema = schema;
  }

  patterns(key: string, type: string): readonly { readonly key: string; readonly order: number }[] {
    return this.#patterns.get(`${key}\n${type}`) ?? [];
  }

  assignments(key: string, name: string): readonly AssignmentSpot[] {
    return this.#assignments.get(`${key}\n${name}`) ?? [];
  }

  file(path: string, key: string, type: string): void {
    const parsed = this.#sources.parsed.get(path);
    if (parsed?.text === undefined) throw new Error(`the text of ${path} was not kept`);
    let spans = this.#spans.get(path);
    if (!spans) this.#spans.set(path, (spans = spansOf(parsed.text)));
    this.#items(path, parsed.items, spans, key, type);
    this.files.set(path, { key, endOrder: this.#order++ });
  }

  #items(file: string, items: readonly Item[], spans: readonly Span[], key: string, type: string): void {
    for (const [index, item] of items.entries()) {
      const span = spans[index];
      if (span?.kind !== item.kind) throw new Error(`${file}: item ${index} and its span do not fit`);
      switch (item.kind) {
        case 'option':
          put(this.#assignments, `${key}\n${item.name.toLowerCase()}`, {
            file,
            at: item.at,
            span: span as OptionSpan,
            order: this.#order++,
          });
          break;
        case 'include':
          for (const target of this.#sources.targets.get(item) ?? []) this.file(target, key, type);
          break;
        case 'stanza':
          this.#stanza(file, item, span as StanzaSpan, key, type);
          break;
      }
    }
  }

  #stanza(file: string, item: StanzaItem, span: StanzaSpan, parent: string, parentType: string): void {
    const type = item.name.toLowerCase();
    const row = this.#schema.scope(parentType, type);
    const anonymous = row?.instance === 'none' ? '' : type;
    const instance = item.instance === undefined ? undefined : canonicalInstance(type, item.instance);
    const key = keyBelow(parent, type, instance?.name ?? anonymous);
    const order = this.#order++;
    if (instance?.pattern && !this.stanzas.has(key)) put(this.#patterns, `${parent}\n${type}`, { key, order });
    this.#items(file, item.items, span.items, key, type);
    put(this.stanzas, key, { file, at: item.at, span, order, endOrder: this.#order++ });
  }
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
