import type { Node, PatternTree, Where } from './pattern-tree.ts';

/** The same pattern for JavaScript: all flags but `u` and `i` are gone into the source. */
export interface Script {
  readonly source: string;
  readonly flags: 'u' | 'ui';
  /** JavaScript's number for each capturing group of the pattern. */
  readonly numbers: ReadonlyMap<number, number>;
}

/** @param tree without references: one to a group that took no part fails in PCRE, and matches in JavaScript */
export function scriptOf(tree: PatternTree): Script {
  const printer = new Printer();
  const source = printer.text(tree.root) || '(?:)';
  return { source, flags: tree.ignoreCase ? 'ui' : 'u', numbers: printer.numbers };
}

const ASSERTIONS: Readonly<Record<Where, string>> = {
  start: '(?<![\\s\\S])',
  // PCRE: not behind a newline that is the last character.
  'line start': '(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))',
  end: '(?![\\s\\S])',
  'line end': '(?![^\\n])',
  'last line end': '(?=\\n?(?![\\s\\S]))',
  boundary: '\\b',
  'no boundary': '\\B',
};

/** Groups are numbered again, since atomic groups add some of their own. */
class Printer {
  #groups = 0;
  /** Inside a lookbehind, which is matched from its end to its beginning. */
  #back = false;
  readonly numbers = new Map<number, number>();

  text(node: Node): string {
    switch (node.kind) {
      case 'character':
        return node.source;
      case 'assertion':
        // V8 knows `^` without `m` and does not try every place.
        return node.where === 'start' ? '^' : ASSERTIONS[node.where];
      case 'sequence':
        return node.items.map((item) => (item.kind === 'choice' ? `(?:${this.text(item)})` : this.text(item))).join('');
      case 'choice':
        return node.options.map((option) => this.text(option)).join('|');
      case 'group':
        if (node.number === undefined) return `(?:${this.text(node.body)})`;
        this.numbers.set(node.number, ++this.#groups);
        return `(${this.text(node.body)})`;
      case 'atomic': {
        // A lookahead is never re-entered, so what it captured and the reference consumes stays as it is.
        const number = ++this.#groups;
        const body = this.text(node.body);
        return this.#back ? `(?:\\${number}(?<=(${body})))` : `(?:(?=(${body}))\\${number})`;
      }
      case 'look': {
        const outside = this.#back;
        this.#back = !node.ahead;
        const body = this.text(node.body);
        this.#back = outside;
        return `(?${node.ahead ? '' : '<'}${node.negative ? '!' : '='}${body})`;
      }
      case 'repeat':
        return this.#repeat(node);
      case 'reference':
        throw new Error('a reference means something else to JavaScript: our own matcher serves it');
    }
  }

  #repeat(node: Extract<Node, { kind: 'repeat' }>): string {
    const { least, most, body, lazy } = node;
    const inner = body.kind === 'character' || body.kind === 'group' ? this.text(body) : `(?:${this.text(body)})`;
    return `${inner}${times(least, most)}${lazy ? '?' : ''}`;
  }
}

function times(least: number, most: number): string {
  if (most === Number.POSITIVE_INFINITY) return least === 0 ? '*' : least === 1 ? '+' : `{${least},}`;
  if (least === 0 && most === 1) return '?';
  return least === most ? `{${least}}` : `{${least},${most}}`;
}
