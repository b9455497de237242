import { ConfigError, NotImplemented, Notice } from '../errors.ts';
import { type PatternHost, type Place, ValueError } from '../option.ts';
import { unboundedIn, unboundedText } from '../patterns/pattern.ts';
import type { ScopeRow } from '../schema/catalogue.ts';
import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { type IncludeItem, type Item, LIMITS, type OptionItem, type StanzaItem } from '../text/items.ts';
import { assignment, unknownName } from './assignment.ts';
import { canonicalInstance, type Instance } from './instance.ts';
import { type Assignment, keyBelow, type Stanza } from './stanza.ts';
import { placeTitle, unservedOf } from './unserved.ts';

/** Where a merge puts what it finds. */
export interface Findings {
  readonly errors: ConfigError[];
  readonly notices: Notice[];
}

/** What each include directive stands for. */
export type Included = ReadonlyMap<IncludeItem, readonly Item[]>;

interface OpenStanza extends Stanza {
  readonly options: Map<string, Assignment>;
  children: ReadonlyMap<string, Map<string, OpenStanza>>;
}

/** Most stanzas have nothing inside, and a map of their own would be a fifth of what they take. */
const NO_CHILDREN: ReadonlyMap<string, Map<string, OpenStanza>> = new Map();

/** What is merged, and with what. */
export interface MergeParts {
  /** What was there before, which stays as it is. */
  readonly base: Stanza;
  readonly items: readonly Item[];
  readonly included: Included;
  readonly schema: Schema;
  readonly findings: Findings;
  /** For the regular expressions among the values. */
  readonly host?: PatternHost | undefined;
}

/**
 * Merges items into one tree: the same stanza may appear many times, a later value replaces an earlier one whole
 * (spec: repetition, merging, includes). Every name and value is checked, also those that are replaced later.
 */
export function merge(parts: MergeParts): Stanza {
  const merging = new Merging(parts);
  while (merging.step());
  return merging.root;
}

function reopen(stanza: Stanza): OpenStanza {
  const children = new Map<string, Map<string, OpenStanza>>();
  for (const [type, ofType] of stanza.children) {
    children.set(type, new Map([...ofType].map(([instance, child]) => [instance, reopen(child)])));
  }
  return { ...stanza, options: new Map(stanza.options), children, compiled: undefined };
}

/** Items of one stanza or file that are being gone through. */
interface Level {
  readonly into: OpenStanza;
  readonly items: readonly Item[];
  next: number;
  readonly depth: number;
  /** Whether something reads this stanza: if not, it was reported, and what is in it need not be. */
  readonly served: boolean;
}

/** A merge item by item, so that who has other things to do can do them in between. */
export class Merging {
  /** Complete when there is no step left. */
  readonly root: Stanza;
  readonly #included: Included;
  readonly #schema: Schema;
  readonly #findings: Findings;
  readonly #host: PatternHost | undefined;
  readonly #levels: Level[] = [];
  #count = 0;
  #quiet = false;

  constructor({ base, items, included, schema, findings, host }: MergeParts) {
    this.#included = included;
    this.#schema = schema;
    this.#findings = findings;
    this.#host = host;
    const root = reopen(base);
    this.root = root;
    this.#levels.push({ into: root, items, next: 0, depth: 0, served: true });
  }

  /** Merges the next item. @returns false when there is none */
  step(): boolean {
    const level = this.#levels.at(-1);
    if (!level) return false;
    const item = level.items[level.next++];
    if (!item) {
      this.#levels.pop();
      return true;
    }
    if (++this.#count > LIMITS.items) {
      // Files that include each other again and again are short on disk and endless here.
      this.#levels.length = 0;
      this.#error(`more than ${LIMITS.items} items, counting each file as often as it is included`, item.at, undefined);
      return false;
    }
    if (this.#findings.errors.length >= LIMITS.errors) return this.#tooManyErrors(item.at);
    const { into, depth, served } = level;
    switch (item.kind) {
      case 'option':
        this.#option(into, item, served);
        break;
      case 'stanza':
        this.#stanza(into, item, depth, served);
        break;
      case 'include':
        // A directive that failed has been reported by who reads files.
        this.#levels.push({ into, items: this.#included.get(item) ?? [], next: 0, depth, served });
        break;
    }
    return true;
  }

  #option(into: OpenStanza, item: OptionItem, served: boolean): void {
    const name = item.name.toLowerCase();
    const entry = this.#schema.option(into.type, name);
    if (!entry) {
      this.#findings.errors.push(unknownName(this.#schema, into.type, item.name, 'option', item.at));
      return;
    }
    this.#duplicateKeys(item, name);
    try {
      const checked = assignment(entry, item.name, item.value, item.at, this.#host);
      into.options.set(name, checked);
      if (checked.values.length > 0) this.#unbounded(checked);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#findings.errors.push(error);
      return;
    }
    if (!served) return;
    const unserved = unservedOf({ entry, value: item.value }, into);
    const what = `${spelling(name)} in ${placeTitle(into)}`;
    if (unserved === 'all') this.#notImplemented(item.at, name, into.type, what);
    else for (const part of unserved) this.#notImplemented(item.at, name, into.type, `${part} of ${what}`);
  }

  #stanza(into: OpenStanza, item: StanzaItem, depth: number, served: boolean): void {
    const type = item.name.toLowerCase();
    const row = this.#schema.scope(into.type, type);
    if (!row) {
      this.#findings.errors.push(unknownName(this.#schema, into.type, item.name, 'scope', item.at));
      return;
    }
    if (depth >= LIMITS.nesting)
      return this.#error(`more than ${LIMITS.nesting} stanzas inside each other`, item.at, item.name);
    const instance = this.#instance(item, type, row);
    if (!instance) return;
    let ofType = into.children.get(type);
    if (!ofType) into.children = new Map(into.children).set(type, (ofType = new Map()));
    let child = ofType.get(instance.name);
    if (!child) {
      child = {
        type,
        instance: instance.name,
        written: row.instance === 'none' ? undefined : (item.instance ?? instance.name),
        key: keyBelow(into.key, type, instance.name),
        at: item.at,
        pattern: instance.pattern,
        options: new Map(),
        children: NO_CHILDREN,
        compiled: undefined,
      };
      ofType.set(instance.name, child);
    }
    const here = served && this.#schema.implemented(type);
    if (served && !here) this.#notImplemented(item.at, type, into.type, `${spelling(type)} in ${spelling(into.type)}`);
    this.#levels.push({ into: child, items: item.items, next: 0, depth: depth + 1, served: here });
  }

  #instance(item: StanzaItem, type: string, row: ScopeRow): Instance | undefined {
    if (row.instance === 'none') {
      if (item.instance === undefined) return { name: '', pattern: undefined, notice: undefined };
      this.#error(`${spelling(type)} has no name: there is one only`, item.at, item.instance);
      return undefined;
    }
    if (item.instance === undefined) {
      if (row.instance === 'optional') return { name: type, pattern: undefined, notice: undefined };
      this.#error(`${spelling(type)} needs a name: write ${item.name} "…" { }`, item.at, item.name);
      return undefined;
    }
    try {
      const instance = canonicalInstance(type, item.instance, item.at, this.#host);
      if (instance.notice !== undefined) this.#notice(new Notice('warning', item.at, instance.notice));
      return instance;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      this.#error(error.message, item.at, item.instance);
      return undefined;
    }
  }

  #duplicateKeys(item: OptionItem, name: string): void {
    if (item.value.kind !== 'dictionary') return;
    const seen = new Set<string>();
    for (const entry of item.value.entries) {
      const key = EXACT_KEYS.has(name) ? entry.key : entry.key.toLowerCase();
      if (seen.has(key))
        this.#notice(
          new Notice('warning', entry.at, `the key '${entry.key}' appears twice in ${item.name}: the last one counts`),
        );
      seen.add(key);
    }
  }

  #unbounded({ values, value }: Assignment): void {
    for (const each of values)
      for (const pattern of unboundedIn(each))
        this.#findings.notices.push(new Notice('warning', value.at, unboundedText(pattern)));
  }

  #notImplemented(place: Place, name: string, scope: string, what: string): void {
    this.#notice(new NotImplemented(place, name, scope, what));
  }

  #notice(notice: Notice): void {
    const { notices } = this.#findings;
    if (notices.length < LIMITS.errors) notices.push(notice);
    else if (!this.#quiet)
      notices.push(new Notice('warning', notice.place, `more than ${LIMITS.errors} notices: the others are not shown`));
    this.#quiet ||= notices.length > LIMITS.errors;
  }

  /** Looking for the nearest name costs more than reading: two million unknown ones would take minutes. */
  #tooManyErrors(place: Place): false {
    this.#levels.length = 0;
    if (this.#findings.errors.length === LIMITS.errors)
      this.#error(`more than ${LIMITS.errors} errors: the others are not shown`, place, undefined);
    return false;
  }

  #error(message: string, place: Place, near: string | undefined): void {
    this.#findings.errors.push(new ConfigError(message, { place, near }));
  }
}

/** Dictionaries whose keys keep their case (spec: grammar). */
const EXACT_KEYS = new Set(['context', 'type_map', 'map']);
