import type { CharacterSets } from './character-set.ts';
import { mayBeEmpty, type Node, type PatternTree, parts } from './pattern-tree.ts';

/**
 * How much a backtracking engine may have to do for a text of `length` characters that was made to hurt, in steps of
 * about a nanosecond; Infinity when that grows faster than any power of the length. Never less than the truth, and
 * often more: a part of which several matches begin at one place is taken to be tried in all ways by all that follows.
 *
 * @param tree without references
 */
export function mostWork(tree: PatternTree, sets: CharacterSets, length: number): number {
  const judge = new Judge(sets, length);
  const { items, free } = withoutFreeEnd(tree.root);
  const starts = startsOnly(tree.root) ? 1 : length + 1;
  return starts * (judge.sequence(items, ANY).work + 1) + (free ? length : 0);
}

/** What may be tried of a node from one place in the text. */
interface Bound {
  /** Most ways in which it can match from there, without those that end where what follows cannot begin. */
  readonly ways: number;
  /** Most ways that have one and the same end. */
  readonly sameEnd: number;
  /** Steps of trying all of them. */
  readonly work: number;
  /** What was looked at is what the match takes, if there is one: matches in a row cost as one over all of it. */
  readonly tight: boolean;
}

/** Characters that may come next: one element for each of ASCII, one for all others. Undefined: nobody knows. */
type Next = Uint8Array | undefined;

const ANY: Next = undefined;
const HOPELESS: Bound = {
  ways: Number.POSITIVE_INFINITY,
  sameEnd: Number.POSITIVE_INFINITY,
  work: Number.POSITIVE_INFINITY,
  tight: false,
};
const ONE: Bound = { ways: 1, sameEnd: 1, work: 1, tight: true };
/** Characters in which alternatives are compared. */
const PREFIX = 16;

class Judge {
  readonly #sets: CharacterSets;
  readonly #length: number;
  readonly #firsts = new Map<Node, { readonly set: Next; readonly empty: boolean }>();

  constructor(sets: CharacterSets, length: number) {
    this.#sets = sets;
    this.#length = length;
  }

  #bound(node: Node, next: Next): Bound {
    const bound = this.#rough(node, next);
    // A match that ends among its own characters is followed by one of them: where that cannot be, there is one end.
    if (bound.ways === 1 || !disjoint(this.#alphabet(node), next)) return bound;
    return { ...bound, ways: bound.sameEnd, work: bound.work + bound.ways, tight: bound.sameEnd === 1 };
  }

  #rough(node: Node, next: Next): Bound {
    switch (node.kind) {
      case 'character':
      case 'assertion':
        return ONE;
      case 'sequence':
        return this.sequence(node.items, next);
      case 'choice':
        return this.#choice(node.options, next);
      case 'group':
        return this.#bound(node.body, next);
      case 'atomic':
      case 'look':
        return { ways: 1, sameEnd: 1, work: this.#bound(node.body, ANY).work + 1, tight: false };
      case 'repeat':
        return this.#repeat(node, next);
      case 'reference':
        return { ways: 1, sameEnd: 1, work: this.#length, tight: false };
    }
  }

  sequence(items: readonly Node[], next: Next): Bound {
    let { ways, work, tight } = ONE;
    let least = 1;
    let behind = next;
    for (const item of items.toReversed()) {
      const bound = this.#bound(item, behind);
      work = bound.work + bound.ways * work;
      tight &&= bound.tight && bound.ways === 1;
      ways *= bound.ways;
      // With the end given, the one of most ways has none left, or fewer.
      least = Math.max(least, bound.ways / bound.sameEnd);
      const first = this.#first(item);
      behind = first.empty ? union(first.set, behind) : first.set;
    }
    const sameEnd = ways === Number.POSITIVE_INFINITY ? ways : Math.max(1, ways / least);
    return { ways, sameEnd, work, tight };
  }

  #choice(options: readonly Node[], next: Next): Bound {
    const bounds = options.map((option) => this.#bound(option, next));
    const depth = this.#exclusive(options);
    if (depth === undefined) {
      return {
        ways: sum(bounds, ({ ways }) => ways),
        sameEnd: sum(bounds, ({ sameEnd }) => sameEnd),
        work: sum(bounds, ({ work }) => work + 1),
        tight: false,
      };
    }
    // Those that do not match are given up within their first characters.
    return {
      ways: Math.max(...bounds.map(({ ways }) => ways)),
      sameEnd: Math.max(...bounds.map(({ sameEnd }) => sameEnd)),
      work: Math.max(...bounds.map(({ work }) => work)) + options.length * depth,
      tight: bounds.every(({ tight }) => tight),
    };
  }

  #repeat(node: Extract<Node, { kind: 'repeat' }>, next: Next): Bound {
    const { body, least, most } = node;
    const { set } = this.#first(body);
    const empty = mayBeEmpty(body);
    const inner = this.#bound(body, most > 1 ? union(set, next) : next);
    const turns = Math.min(most, Math.floor(this.#length / Math.max(1, shortest(body))) + 1);
    if (empty && most > 1) return HOPELESS;
    // A turn that takes nothing ends where no turn ends.
    if (inner.ways > 1 || empty) {
      const ways = inner.ways === 1 ? 2 : powers(inner.ways, turns);
      const sameEnd = most === 1 ? inner.sameEnd + (empty ? 1 : 0) : ways;
      return {
        ways,
        sameEnd,
        work: inner.work * (inner.ways === 1 ? 1 : powers(inner.ways, turns - 1)) + 1,
        tight: false,
      };
    }
    const row = inner.tight ? Math.min(turns * inner.work, inner.work + this.#length * size(body)) : turns * inner.work;
    // An end before the last one is followed by what the body begins with: where that cannot be, there is one end only.
    const ways = disjoint(set, next) ? 1 : Math.max(1, turns - least + 1);
    return { ways, sameEnd: 1, work: row + 1, tight: inner.tight };
  }

  /** @returns the characters that a match of the node may begin with, and whether it may be empty */
  #first(node: Node): { readonly set: Next; readonly empty: boolean } {
    let known = this.#firsts.get(node);
    if (!known) this.#firsts.set(node, (known = this.#computeFirst(node)));
    return known;
  }

  #computeFirst(node: Node): { readonly set: Next; readonly empty: boolean } {
    switch (node.kind) {
      case 'character': {
        const { ascii, beyond } = this.#sets.get(node.source);
        const set = new Uint8Array(129);
        set.set(ascii);
        set[128] = beyond ? 1 : 0;
        return { set, empty: false };
      }
      case 'sequence': {
        let set: Next = new Uint8Array(129);
        for (const item of node.items) {
          const first = this.#first(item);
          set = union(set, first.set);
          if (!first.empty) return { set, empty: false };
        }
        return { set, empty: true };
      }
      case 'choice': {
        const firsts = node.options.map((option) => this.#first(option));
        return {
          set: firsts.reduce<Next>((set, first) => union(set, first.set), new Uint8Array(129)),
          empty: firsts.some((first) => first.empty),
        };
      }
      case 'group':
      case 'atomic':
        return this.#first(node.body);
      case 'repeat': {
        const first = this.#first(node.body);
        return { set: first.set, empty: first.empty || node.least === 0 };
      }
      case 'assertion':
        return this.#firstOfAssertion(node.where);
      case 'look':
      case 'reference':
        // It may look far before it forbids what comes next.
        return { set: ANY, empty: true };
    }
  }

  /** Behind an end nothing comes but its newline, whatever else the pattern says. */
  #firstOfAssertion(where: string): { readonly set: Next; readonly empty: boolean } {
    const set = new Uint8Array(129);
    if (where === 'last line end' || where === 'line end') set[0x0a] = 1;
    return { set, empty: where !== 'last line end' && where !== 'line end' && where !== 'end' };
  }

  /** @returns the number of characters after which at most one of the options is left; undefined if there may be two */
  #exclusive(options: readonly Node[]): number | undefined {
    const prefixes = options.map((option) => this.#prefix(option));
    let depth = 0;
    for (const [at, prefix] of prefixes.entries()) {
      for (const other of prefixes.slice(0, at)) {
        const differs = prefix.findIndex((set, index) => disjoint(set, other[index]));
        if (differs === -1) return undefined;
        depth = Math.max(depth, differs + 1);
      }
    }
    return depth;
  }

  /** Every character that a match may hold, or that is looked at. */
  #alphabet(node: Node): Next {
    switch (node.kind) {
      case 'character':
        return this.#first(node).set;
      case 'look':
      case 'reference':
        return ANY;
      default:
        return parts(node).reduce<Next>((set, part) => union(set, this.#alphabet(part)), new Uint8Array(129));
    }
  }

  /** The sets of the characters that every match of the node begins with. */
  #prefix(node: Node): readonly Uint8Array[] {
    const sets: Uint8Array[] = [];
    const add = (each: Node): boolean => {
      if (sets.length >= PREFIX) return false;
      switch (each.kind) {
        case 'character': {
          const { set } = this.#first(each);
          if (set) sets.push(set);
          return set !== undefined;
        }
        case 'sequence':
          return each.items.every(add);
        case 'group':
          return add(each.body);
        case 'repeat': {
          for (let turn = 0; turn < each.least && sets.length < PREFIX; turn++) if (!add(each.body)) return false;
          return each.least === each.most;
        }
        default: {
          // One character is known of whatever cannot be empty.
          const { set, empty } = this.#first(each);
          if (!empty && set) sets.push(set);
          return false;
        }
      }
    };
    add(node);
    return sets;
  }
}

/** What may take any number of characters, at the very end, ends the search at its first try. */
function withoutFreeEnd(root: Node): { readonly items: readonly Node[]; readonly free: boolean } {
  const items = root.kind === 'sequence' ? [...root.items] : [root];
  let free = false;
  for (let last = items.at(-1); last?.kind === 'repeat' && last.body.kind === 'character'; last = items.at(-1)) {
    if (last.least > 1) break;
    free = true;
    items.pop();
    if (last.least === 1) {
      items.push(last.body);
      break;
    }
  }
  return { items, free };
}

/** @returns whether it can match at the start of the text only */
function startsOnly(node: Node): boolean {
  switch (node.kind) {
    case 'assertion':
      return node.where === 'start';
    case 'sequence':
      return node.items[0] !== undefined && startsOnly(node.items[0]);
    case 'choice':
      return node.options.every(startsOnly);
    case 'group':
      return startsOnly(node.body);
    default:
      return false;
  }
}

/** @returns the least number of characters that a match takes */
function shortest(node: Node): number {
  switch (node.kind) {
    case 'character':
      return 1;
    case 'choice':
      return Math.min(...node.options.map(shortest));
    case 'repeat':
      return node.least * shortest(node.body);
    case 'look':
      return 0;
    default:
      return sum(parts(node), shortest);
  }
}

function size(node: Node): number {
  return 1 + sum(parts(node), size);
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}

/** 1 + ways + ways² … up to the power `turns`. */
function powers(ways: number, turns: number): number {
  return ways === Number.POSITIVE_INFINITY ? ways : (ways ** (turns + 1) - 1) / (ways - 1);
}

function union(one: Next, other: Next): Next {
  return one && other ? one.map((has, at) => has | (other[at] ?? 0)) : ANY;
}

function disjoint(one: Next, other: Next): boolean {
  return one !== undefined && other !== undefined && one.every((has, at) => (has & (other[at] ?? 0)) === 0);
}
