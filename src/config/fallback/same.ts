import { addressText, type Cidr, contains, parseCidr } from '../../base/index.ts';
import { isPattern } from '../tree/instance.ts';
import type { Stanza } from '../tree/stanza.ts';
import { type Added, Comparison } from './added.ts';
import type { Query } from './chain.ts';
import type { Compiled, Compiler } from './compile.ts';
import { type PagedView, sameCell, samePages } from './view.ts';

/** What a comparison needs of a generation. */
export interface Side {
  readonly tree: Stanza;
  readonly compiler: Compiler;
  readonly global: PagedView;
  /** Memory of the comparison: which stanzas are new here, seen from an earlier tree. */
  readonly addedSince: WeakMap<Stanza, Added>;
  view(query: Query): PagedView;
}

/**
 * Whether all who share a view see the same values in the next generation.
 *
 * They share it because the same stanzas match them, so what became of those stanzas is the same for all, and one of
 * them (the query that made the view) is asked. A stanza that is new in `next` may match some of them and not others;
 * unless it cannot match, or would change nothing, the answer is no: then a session is closed that might have stayed.
 */
export function sameForAll(
  view: PagedView,
  chain: readonly Compiled[],
  query: Query | undefined,
  last: Side,
  next: Side,
): boolean {
  if (!samePages(view.pages, query ? next.view(query).pages : next.global.pages)) return false;
  if (!query || query.kind === 'stanza' || query.kind === 'global') return true;
  if (query.kind === 'receiving' && !samePathways(last.tree, next.tree)) return false;
  const candidates = candidatesFor(added(last.tree, next), query, chain);
  // Somebody waits for the answer: beyond this, none is worth more than the safe one.
  if (candidates.length > MOST_COMPARED) return false;
  return candidates.every((stanza) => {
    if (!mayMatch(stanza, query, chain)) return true;
    const { cells } = next.compiler.compile(stanza);
    const rank = rankOf(stanza);
    return cells.every((cell) => {
      const seen = view.at(cell.slot);
      if (sameCell(seen, cell)) return true;
      // What sets the value now stands nearer, and hides it.
      const setter = chain.find((each) => each.id === seen?.owner);
      return setter !== undefined && rankOf(setter.stanza) < rank;
    });
  });
}

/** New stanzas that are looked at for one view, a microsecond each. */
const MOST_COMPARED = 2000;

function candidatesFor(added: Added, query: Query, chain: readonly Compiled[]): readonly Stanza[] {
  if (query.kind === 'receiving' || query.kind === 'pathway') return added.for('', '');
  const type = query.kind === 'host' ? 'host' : 'domain';
  const literal = chain.find(({ stanza }) => stanza.type === type && !stanza.pattern);
  return literal ? added.for(type, literal.stanza.instance) : added.all;
}

/** Where in its chain a stanza stands, 1 is nearest; only stanzas of one chain are compared. */
function rankOf({ type, key }: Stanza): number {
  switch (type) {
    case 'domain':
      return key.startsWith('domain:')
        ? 7
        : key.startsWith('binding:')
          ? 2
          : /^binding_group:(?:[^:\\]|\\.)*:binding:/.test(key)
            ? 1
            : 3;
    case 'binding':
      return key.startsWith('binding:') ? 5 : 4;
    case 'binding_group':
      return 6;
    case 'host':
      return key.startsWith('host:')
        ? 4
        : key.startsWith('binding:')
          ? 3
          : /^binding_group:(?:[^:\\]|\\.)*:binding:/.test(key)
            ? 1
            : 2;
    case 'peer':
      return /^[a-z_]+::peer:/.test(key) ? 2 : 1;
    case 'listen':
      return 3;
    case 'pathway':
      return key.startsWith('pathway:') ? 6 : 5;
    case 'pathway_group':
      return 7;
    default:
      // The listener itself.
      return 4;
  }
}

const FAMILIES: ReadonlyMap<Query['kind'], ReadonlySet<string>> = new Map([
  ['sending', new Set(['binding_group', 'binding', 'domain'])],
  ['host', new Set(['host'])],
  ['receiving', new Set(['listen', 'peer', 'pathway_group', 'pathway'])],
  ['pathway', new Set(['pathway_group', 'pathway'])],
]);

function mayMatch(stanza: Stanza, query: Query, chain: readonly Compiled[]): boolean {
  if (query.kind === 'receiving') {
    if (stanza.type === query.listener) return true;
    if ((stanza.type === 'listen' || stanza.type === 'peer') && !stanza.key.startsWith(`${query.listener}:`))
      return false;
  }
  if (!FAMILIES.get(query.kind)?.has(stanza.type)) return false;
  if (stanza.type === 'peer')
    return chain.every((each) => each.stanza.type !== 'peer' || overlap(each.stanza.instance, stanza.instance));
  if (stanza.type !== 'domain' && stanza.type !== 'host') return true;
  // A literal stanza in the chain says which name all who share the view have.
  const literal = chain.find((each) => each.stanza.type === stanza.type && !isPattern(each.stanza.instance));
  if (!literal) return true;
  const name = literal.stanza.instance;
  return stanza.pattern ? stanza.pattern.test(name) : stanza.instance === name;
}

/** Which pathway is in which group decides the chain, even for pathways that set nothing. */
function samePathways(last: Stanza, next: Stanza): boolean {
  if (last.children.get('pathway_group') === next.children.get('pathway_group')) return true;
  return pathways(last) === pathways(next);
}

function pathways(root: Stanza): string {
  const groups = [...(root.children.get('pathway_group') ?? [])].map(([group, stanza]) => [
    group,
    ...(stanza.children.get('pathway')?.keys() ?? []),
  ]);
  return JSON.stringify(groups.filter((names) => names.length > 1));
}

function overlap(one: string, other: string): boolean {
  const first = parseCidr(one);
  const second = parseCidr(other);
  return !first || !second || holds(first, second) || holds(second, first);
}

function holds(one: Cidr, other: Cidr): boolean {
  return one.family === other.family && one.prefix <= other.prefix && contains(one, addressText(other.bytes));
}

/** What `next` has that an earlier tree had not; known beforehand when the live configuration has made it. */
function added(last: Stanza, next: Side): Added {
  let known = next.addedSince.get(last);
  if (!known) {
    const comparison = new Comparison(last, next.tree);
    while (comparison.step());
    next.addedSince.set(last, (known = comparison.added));
  }
  return known;
}
