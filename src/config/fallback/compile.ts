import { CidrTable, parseCidr } from '../../base/index.ts';
import type { Slices } from '../../world/index.ts';
import type { StanzaId } from '../live/generation.ts';
import type { Option } from '../option.ts';
import { childOf, type Stanza } from '../tree/stanza.ts';
import { type Cell, type Pages, withCells } from './view.ts';

/**
 * A stanza made ready for questions. Compiled when first asked for: of a hundred thousand domain stanzas only those with
 * mail are. Kept by the stanza, so that a commit compiles again only what it changed.
 */
export class Compiled {
  readonly stanza: Stanza;
  readonly id: StanzaId;
  /** For keys of caches: no two compiled stanzas of a configuration have the same. */
  readonly number: number;
  readonly cells: readonly Cell[];
  readonly compiler: Compiler;
  #index: StanzaIndex | undefined;

  constructor(stanza: Stanza, number: number, start: Options, compiler: Compiler) {
    this.stanza = stanza;
    this.number = number;
    this.id = { key: stanza.key, place: stanza.at };
    this.compiler = compiler;
    this.cells = cellsOf(stanza, start, this.id);
  }

  child(type: string, instance: string): Compiled | undefined {
    const child = childOf(this.stanza, type, instance);
    return child && this.compiler.compile(child);
  }

  /** The literal stanza of that name, then the regex stanzas that match it, in order of appearance. */
  matching(type: 'domain' | 'host', name: string, into: Compiled[]): void {
    const literal = this.child(type, name);
    if (literal && literal.stanza.pattern === undefined) into.push(literal);
    for (const each of this.#indexed()[type]) if (each.stanza.pattern?.test(name)) into.push(each);
  }

  /** The peer stanzas whose block holds the address, longest prefix first. */
  peers(ip: string): readonly Compiled[] {
    const { peers } = this.#indexed();
    return peers.size === 0 ? NONE : peers.matches(ip);
  }

  /** Makes the index beforehand, without haste: it may be of a hundred thousand stanzas. */
  async prepare(slices: Slices): Promise<void> {
    if (this.#index) return;
    const index = new StanzaIndex(this.compiler);
    for (const type of INDEXED)
      await slices.each(this.stanza.children.get(type)?.values() ?? [], (child) => index.add(child));
    this.#index ??= index;
  }

  #indexed(): StanzaIndex {
    if (!this.#index) {
      this.#index = new StanzaIndex(this.compiler);
      for (const type of INDEXED)
        for (const child of this.stanza.children.get(type)?.values() ?? []) this.#index.add(child);
    }
    return this.#index;
  }
}

/** Types of stanzas that are found by more than their name. */
export const INDEXED = ['domain', 'host', 'peer'] as const;

/** Patterns that are judged at once, so that the first question need not wait for it. */
const JUDGED = 1000;

/** The stanzas in one that are found by a pattern or an address. */
class StanzaIndex {
  readonly domain: Compiled[] = [];
  readonly host: Compiled[] = [];
  readonly peers = new CidrTable<Compiled>();
  readonly #compiler: Compiler;

  constructor(compiler: Compiler) {
    this.#compiler = compiler;
  }

  add(stanza: Stanza): void {
    if (stanza.type === 'peer') {
      const cidr = parseCidr(stanza.instance);
      if (cidr) this.peers.add(cidr, this.#compiler.compile(stanza));
    } else if (stanza.pattern) {
      const of = stanza.type === 'host' ? this.host : this.domain;
      if (of.length < JUDGED) stanza.pattern.judge();
      of.push(this.#compiler.compile(stanza));
    }
  }
}

/** One for each configuration: what it knows holds for all generations. */
export class Compiler {
  readonly #start: ReadonlyMap<string, Options>;
  #count = 0;
  /** Built-in defaults. */
  readonly defaults: Pages;
  readonly #declared: readonly Option<unknown>[];
  readonly #special = new Map<string, Pages>();

  /**
   * @param start the tree that the process was started with: options that are not dynamic keep its values in all
   *   stanzas that it had
   */
  constructor(declared: readonly Option<unknown>[], start: Stanza) {
    this.#declared = declared;
    this.#start = startOptions(declared, start);
    this.defaults = withCells(
      [],
      declared.map((option) => defaultCell(option, option.initial)),
    );
  }

  compile(stanza: Stanza): Compiled {
    const known = stanza.compiled;
    if (known instanceof Compiled && known.stanza === stanza && known.compiler === this) return known;
    const compiled = new Compiled(stanza, this.#count++, this.#start.get(stanza.key) ?? stanza.options, this);
    stanza.compiled = compiled;
    return compiled;
  }

  /** @returns whether some of the stanza's options may still have the values of the start */
  keepsStart(stanza: Stanza): boolean {
    const start = this.#start.get(stanza.key);
    return start !== undefined && start !== stanza.options;
  }

  /** @returns the defaults where some differ by scope, as in host stanzas */
  defaultsOf(scope: string): Pages {
    let pages = this.#special.get(scope);
    if (!pages) {
      const cells = this.defaultCells(scope);
      pages = cells.length === 0 ? this.defaults : withCells(this.defaults, cells);
      this.#special.set(scope, pages);
    }
    return pages;
  }

  /** Only those that differ from the general ones. */
  defaultCells(scope: string): readonly Cell[] {
    return this.#declared.flatMap((option) =>
      option.initials.has(scope) ? [defaultCell(option, option.initials.get(scope))] : [],
    );
  }
}

type Options = Stanza['options'];

const NONE: readonly Compiled[] = [];
export const DEFAULT_ID: StanzaId = { key: 'default', place: undefined };

function defaultCell(option: Option<unknown>, value: unknown): Cell {
  return { slot: option.slot, value, owner: DEFAULT_ID, raw: undefined, ofSocket: option.ofSocket === true };
}

function cellsOf(stanza: Stanza, start: Options, owner: StanzaId): readonly Cell[] {
  const cells: Cell[] = [];
  const unchanged = start === stanza.options;
  addCells(stanza.options, owner, (option) => option.dynamic || unchanged, cells);
  if (!unchanged) addCells(start, owner, (option) => !option.dynamic, cells);
  return cells;
}

function addCells(options: Options, owner: StanzaId, wanted: (option: Option<unknown>) => boolean, into: Cell[]): void {
  for (const { entry, values, value: raw } of options.values()) {
    for (let index = 0; index < entry.declared.length; index++) {
      const option = entry.declared[index];
      if (option && wanted(option))
        into.push({ slot: option.slot, value: values[index], owner, raw, ofSocket: option.ofSocket === true });
    }
  }
}

/** Of the stanzas of the start-up tree that may hold an option that is not dynamic. */
function startOptions(declared: readonly Option<unknown>[], root: Stanza): ReadonlyMap<string, Options> {
  const scopes = new Set(declared.flatMap((option) => (option.dynamic ? [] : option.scopes)));
  const found = new Map<string, Options>();
  const visit = (stanza: Stanza): void => {
    if (scopes.has(stanza.type) || scopes.has('*module')) found.set(stanza.key, stanza.options);
    for (const ofType of stanza.children.values()) for (const child of ofType.values()) visit(child);
  };
  visit(root);
  return found;
}
