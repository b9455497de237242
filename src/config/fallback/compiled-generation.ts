import { createHash } from 'node:crypto';
import {
  type BindingName,
  bindingName,
  type Domain,
  type Endpoint,
  endpointText,
  type Millis,
  parseEndpoint,
} from '../../base/index.ts';
import type { Slices } from '../../world/index.ts';
import type { Generation, ListenerType, ListenStanza, SettingStanza, StanzaId, View } from '../live/generation.ts';
import type { Option } from '../option.ts';
import { matchCacheSize } from '../schema/config-options.ts';
import { printTree } from '../tree/print-tree.ts';
import { type Stanza, stanzasOf } from '../tree/stanza.ts';
import { type Added, Comparison } from './added.ts';
import { chainOf, fallsToGlobal, groupOfPathway, type Query, receivingQuery } from './chain.ts';
import { type Compiled, type Compiler, INDEXED } from './compile.ts';
import { type Side, sameForAll } from './same.ts';
import { settingStanzas } from './settings.ts';
import { PagedView, type Pages, withCells } from './view.ts';

const LISTENERS: readonly ListenerType[] = ['esmtp_listener', 'control_listener', 'ecstream_listener', 'http_listener'];

/** A committed tree with the caches that answer for it. */
export class CompiledGeneration implements Generation, Side {
  readonly number: number;
  readonly date: Millis;
  readonly tree: Stanza;
  readonly root: Compiled;
  readonly compiler: Compiler;
  readonly global: PagedView;
  /** Memory of `sameIn`. */
  readonly addedSince = new WeakMap<Stanza, Added>();
  #hash: string | undefined;
  /**
   * What a query leads to: (group, binding, domain) and its like. Emptied when full: an answer that is gone costs a
   * microsecond once, while keeping the order of use costs many at each look-up.
   */
  readonly #answers = new Map<string, PagedView>();
  /** By the kind of base and the numbers of the stanzas. */
  readonly #views = new Map<string, PagedView>();
  readonly #most: number;
  readonly #bases = new Map<string, Pages>();
  #listens: readonly ListenStanza[] | undefined;
  #groups: ReadonlyMap<string, string> | undefined;

  constructor(tree: Stanza, number: number, date: Millis, compiler: Compiler) {
    this.tree = tree;
    this.number = number;
    this.date = date;
    this.compiler = compiler;
    this.root = compiler.compile(tree);
    const pages = this.#base('global');
    const global = new PagedView(
      number,
      pages,
      (view, next) => next instanceof CompiledGeneration && sameForAll(view, [], undefined, this, next),
    );
    this.global = global;
    this.#most = global.get(matchCacheSize);
  }

  /**
   * Does beforehand, a slice at a time, what the first questions would have to wait for: the indexes of stanzas that are
   * found by address or pattern, and what is new since the generation that is live.
   */
  async prepare(last: CompiledGeneration | undefined, slices: Slices): Promise<void> {
    const found: Stanza[] = [];
    await slices.each(stanzasOf(this.tree), (stanza) => {
      if (INDEXED.some((type) => stanza.children.has(type))) found.push(stanza);
    });
    for (const stanza of found) await this.compiler.compile(stanza).prepare(slices);
    if (!last) return;
    const comparison = new Comparison(last.tree, this.tree);
    await slices.run(() => comparison.step());
    this.addedSince.set(last.tree, comparison.added);
  }

  get hash(): string {
    this.#hash ??= createHash('sha256').update(printTree(this.tree, true)).digest('hex');
    return this.#hash;
  }

  sending(group: string, binding: BindingName, domain: Domain): PagedView {
    const key = `${domain}\n${binding}\n${group}`;
    return this.#answers.get(key) ?? this.#answer(key, { kind: 'sending', group, binding, domain });
  }

  host(group: string, binding: BindingName, host: string): View {
    const key = `${host}\n${binding}\n${group}\nh`;
    return this.#answers.get(key) ?? this.#answer(key, { kind: 'host', group, binding, host: host.toLowerCase() });
  }

  receiving(listener: ListenerType, endpoint: Endpoint, client: string, pathway?: string): View {
    const key = `${client}\n${endpointText(endpoint)}\n${listener}\nr${pathway ?? '\n'}`;
    return this.#answers.get(key) ?? this.#answer(key, receivingQuery(listener, endpoint, client, pathway));
  }

  receivingOwners(
    option: Option<unknown>,
    listener: ListenerType,
    endpoint: Endpoint,
    client: string,
    pathway?: string,
  ): readonly StanzaId[] {
    return chainOf(this.root, receivingQuery(listener, endpoint, client, pathway))
      .filter((each) => each.cells.some((cell) => cell.slot === option.slot))
      .map((each) => each.id);
  }

  stanza(type: string, instance: string, inside?: string): View {
    const outer = inside === undefined ? [] : [{ type: inside, instance: '' }];
    return this.#view({ kind: 'stanza', path: [...outer, { type, instance }] });
  }

  listens(): readonly ListenStanza[] {
    this.#listens ??= LISTENERS.flatMap((type) =>
      [...(this.tree.children.get(type)?.get('')?.children.get('listen')?.values() ?? [])].flatMap((stanza) => {
        const endpoint = parseEndpoint(stanza.instance);
        if (endpoint.kind === 'error') return [];
        const query: Query = {
          kind: 'receiving',
          listener: type,
          endpoint: stanza.instance,
          client: undefined,
          pathway: undefined,
        };
        return [{ listener: type, endpoint, place: stanza.at, view: this.#view(query) }];
      }),
    );
    return this.#listens;
  }

  settings(options: readonly Option<unknown>[]): readonly SettingStanza[] {
    return settingStanzas(this.tree, this.global, options);
  }

  groupOf(binding: BindingName): string {
    return this.#groupIndex().get(binding) ?? 'default';
  }

  pathwayGroupOf(pathway: string): string | undefined {
    return groupOfPathway(this.tree, pathway);
  }

  bindings(): readonly { readonly group: string; readonly name: BindingName }[] {
    const found = new Map<string, { group: string; name: BindingName }>();
    const add = (group: string, name: string): void =>
      void found.set(`${group}\n${name}`, { group, name: bindingName(name) });
    add('default', 'default');
    const top = this.tree.children.get('binding');
    const grouped = this.#groupIndex();
    for (const name of top?.keys() ?? []) if (!grouped.has(name)) add('default', name);
    for (const [group, stanza] of this.tree.children.get('binding_group') ?? []) {
      for (const name of stanza.children.get('binding')?.keys() ?? []) add(group, name);
    }
    return [...found.values()];
  }

  instances(type: string, inside?: string): readonly string[] {
    const parent = inside === undefined ? this.tree : this.tree.children.get(inside)?.get('');
    return [...(parent?.children.get(type)?.keys() ?? [])];
  }

  /** The view that a query leads to; equal chains give the same one. */
  view(query: Query): PagedView {
    return this.#view(query);
  }

  #answer(key: string, query: Query): PagedView {
    const view = this.#view(query);
    if (this.#answers.size >= this.#most) this.#answers.clear();
    this.#answers.set(key, view);
    return view;
  }

  #view(query: Query): PagedView {
    // A stanza that sets nothing anybody reads makes no difference, and must not make a view of its own.
    const chain = chainOf(this.root, query).filter((each) => each.cells.length > 0);
    const base = baseOf(query);
    const key = `${base}:${chain.map((each) => each.number).join()}`;
    let view = this.#views.get(key);
    if (!view) {
      const pages = withCells(
        this.#base(base),
        chain.toReversed().flatMap((each) => each.cells),
      );
      view = new PagedView(
        this.number,
        pages,
        (same, next) => next instanceof CompiledGeneration && sameForAll(same, chain, query, this, next),
      );
      if (this.#views.size >= this.#most) this.#views.clear();
      this.#views.set(key, view);
    }
    return view;
  }

  #base(kind: string): Pages {
    let pages = this.#bases.get(kind);
    if (!pages) {
      const defaults = this.compiler.defaultsOf(kind.replace('-', ''));
      pages = kind.startsWith('-') ? defaults : withCells(defaults, this.root.cells);
      this.#bases.set(kind, pages);
    }
    return pages;
  }

  #groupIndex(): ReadonlyMap<string, string> {
    if (!this.#groups) {
      const groups = new Map<string, string>();
      for (const [group, stanza] of this.tree.children.get('binding_group') ?? []) {
        for (const name of stanza.children.get('binding')?.keys() ?? []) if (!groups.has(name)) groups.set(name, group);
      }
      this.#groups = groups;
    }
    return this.#groups;
  }
}

/** What stands below a chain: the scope whose defaults hold, with a minus when Global is not asked. */
function baseOf(query: Query): string {
  const scope =
    query.kind === 'receiving'
      ? query.listener
      : query.kind === 'host'
        ? 'host'
        : query.kind === 'stanza'
          ? (query.path.at(-1)?.type ?? 'global')
          : 'global';
  return fallsToGlobal(query) ? scope : `-${scope}`;
}
