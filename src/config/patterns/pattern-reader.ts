import { ValueError } from '../option.ts';
import { className, escapedInClass, POSIX_CLASSES } from './pattern-classes.ts';
import type { Node, PatternTree, Where } from './pattern-tree.ts';

/**
 * Reads a PCRE pattern. What JavaScript cannot express is refused by name: recursion, possessive quantifiers,
 * conditionals, verbs, branch reset, callouts, options that change inside.
 *
 * @param pattern without delimiters
 * @throws ValueError that names the construct
 * @see pcrepattern(3), the syntax that Momentum's regular expressions follow
 */
export function readPattern(pattern: string, ignoreCase: boolean): PatternTree {
  if (pattern.length > LONGEST) throw new ValueError(`a regular expression of at most ${LONGEST} characters`);
  return new Reader(pattern, ignoreCase).read();
}

const LONGEST = 8192;

/** An open group: the alternatives before the current one, and the items of the current one. */
interface Frame {
  readonly options: Node[];
  items: Node[];
  readonly close: (body: Node) => Node;
}

/** One pass from left to right. */
class Reader {
  readonly #pattern: string;
  #at = 0;
  #ignoreCase: boolean;
  #multiline = false;
  #dotAll = false;
  #extended = false;
  #groups = 0;
  readonly #names = new Map<string, number>();
  /** References by number or name, to be checked at the end: a group may stand behind its reference. */
  readonly #named: { readonly name: string; readonly node: { group: number } }[] = [];
  readonly #numbered: number[] = [];
  readonly #open: Frame[] = [{ options: [], items: [], close: (body) => body }];

  constructor(pattern: string, ignoreCase: boolean) {
    this.#pattern = pattern;
    this.#ignoreCase = ignoreCase;
  }

  read(): PatternTree {
    if (this.#pattern.startsWith('(*')) refuse('a verb (*…)');
    this.#leadingOptions();
    while (this.#at < this.#pattern.length) this.#item();
    const [whole] = this.#open;
    if (this.#open.length > 1 || whole === undefined) refuse('a group that is never closed');
    for (const { name, node } of this.#named) {
      const group = this.#names.get(name);
      if (group === undefined) refuse(`a reference to group ${name}, which does not exist`);
      node.group = group;
    }
    for (const group of this.#numbered)
      if (group < 1 || group > this.#groups) refuse(`a reference to group ${group}, which does not exist`);
    return { root: bodyOf(whole), ignoreCase: this.#ignoreCase, groups: this.#groups, names: this.#names };
  }

  /** `(?i)`, `(?im)` … hold for the whole pattern when they stand at its start. */
  #leadingOptions(): void {
    for (;;) {
      const match = /^\(\?([imsxnJUX]*)\)/.exec(this.#pattern.slice(this.#at, this.#at + 16));
      if (!match) return;
      for (const letter of match[1] ?? '') {
        if (letter === 'i') this.#ignoreCase = true;
        else if (letter === 'm') this.#multiline = true;
        else if (letter === 's') this.#dotAll = true;
        else if (letter === 'x') this.#extended = true;
        else refuse(`the option (?${letter})`);
      }
      this.#at += match[0].length;
    }
  }

  #item(): void {
    const char = this.#char();
    switch (char) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#class();
      case '(':
        return this.#group();
      case ')':
        return this.#close();
      case '|': {
        this.#at++;
        const frame = this.#frame();
        frame.options.push(sequence(frame.items));
        frame.items = [];
        return;
      }
      case '^':
        this.#at++;
        return this.#assert(this.#multiline ? 'line start' : 'start');
      case '$':
        this.#at++;
        return this.#assert(this.#multiline ? 'line end' : 'last line end');
      case '.':
        this.#at++;
        return this.#repeated({ kind: 'character', source: this.#dotAll ? '[\\s\\S]' : '[^\\n]' });
      case '*':
      case '+':
      case '?':
        return refuse(`a ${char} with nothing to repeat`);
      default:
        if (this.#extended && this.#skipExtended()) return;
        if (/^\{[0-9]+(?:,[0-9]*)?\}/.test(this.#pattern.slice(this.#at, this.#at + 16)))
          refuse('a repetition with nothing to repeat');
        this.#at += char.length;
        return this.#repeated({ kind: 'character', source: literal(char) });
    }
  }

  /** With (?x) a blank or a comment between items means nothing. @returns whether there was one */
  #skipExtended(): boolean {
    const char = this.#pattern[this.#at] ?? '';
    if (/[ \t\n\v\f\r]/.test(char)) {
      this.#at++;
      return true;
    }
    if (char !== '#') return false;
    const end = this.#pattern.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#pattern.length : end + 1;
    return true;
  }

  /** Adds an item with the quantifiers that stand behind it. */
  #repeated(item: Node): void {
    let node = item;
    for (;;) {
      if (this.#extended) while (this.#skipExtended());
      const rest = this.#pattern.slice(this.#at, this.#at + 32);
      const match = /^(?:([*+?])|\{([0-9]{1,5})(?:(,)([0-9]{0,5}))?\})/.exec(rest);
      if (!match || (node !== item && match[1] !== undefined)) break;
      this.#at += match[0].length;
      const [least, most] = bounds(match);
      if (least > MOST_TIMES || (most !== Number.POSITIVE_INFINITY && most > MOST_TIMES))
        refuse(`a repetition of more than ${MOST_TIMES} times`);
      if (most < least) refuse(`the repetition ${match[0]}, whose bounds are out of order`);
      const next = this.#pattern[this.#at];
      if (next === '+') refuse('a possessive quantifier');
      if (next === '?') this.#at++;
      node = { kind: 'repeat', least, most, lazy: next === '?', body: node };
    }
    this.#put(node);
  }

  #group(): void {
    const rest = this.#pattern.slice(this.#at, this.#at + 80);
    if (rest.startsWith('(*')) refuse('a verb (*…)');
    if (!rest.startsWith('(?')) return this.#capture(1, undefined);
    if (rest.startsWith('(?#')) {
      const end = this.#pattern.indexOf(')', this.#at);
      if (end === -1) refuse('a comment that is never closed');
      this.#at = end + 1;
      return;
    }
    if (rest.startsWith('(?:')) return this.#begin(3, (body) => ({ kind: 'group', number: undefined, body }));
    if (rest.startsWith('(?>')) return this.#begin(3, (body) => ({ kind: 'atomic', body }));
    const look = /^\(\?(<?)([=!])/.exec(rest);
    if (look) {
      const ahead = look[1] === '';
      const negative = look[2] === '!';
      return this.#begin(look[0].length, (body) => ({ kind: 'look', ahead, negative, body }));
    }
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named) return this.#capture(named[0].length, named[1] ?? named[2]);
    const reference = /^\(\?P=([A-Za-z_]\w*)\)/.exec(rest);
    if (reference) {
      this.#at += reference[0].length;
      return this.#repeated(this.#byName(reference[1] ?? ''));
    }
    if (rest.startsWith('(?(')) refuse('a conditional (?(…)');
    if (rest.startsWith('(?|')) refuse('a branch reset (?|…)');
    if (rest.startsWith('(?C')) refuse('a callout (?C)');
    if (/^\(\?(?:R|&|P>|[+-]?[0-9])/.test(rest)) refuse('recursion');
    if (/^\(\?[a-zA-Z^-]+[:)]/.test(rest)) refuse('an option that changes inside the pattern');
    refuse(`the group ${rest.slice(0, 3)}`);
  }

  #capture(length: number, name: string | undefined): void {
    const number = ++this.#groups;
    if (name !== undefined) {
      if (this.#names.has(name)) refuse(`two groups named ${name}`);
      this.#names.set(name, number);
    }
    this.#begin(length, (body) => ({ kind: 'group', number, body }));
  }

  #begin(length: number, close: (body: Node) => Node): void {
    if (this.#open.length > 100) refuse('more than 100 groups inside each other');
    this.#at += length;
    this.#open.push({ options: [], items: [], close });
  }

  #close(): void {
    const frame = this.#open.length > 1 ? this.#open.pop() : undefined;
    if (frame === undefined) refuse('a ) without (');
    this.#at++;
    this.#repeated(frame.close(bodyOf(frame)));
  }

  #escape(): void {
    const next = this.#pattern[this.#at + 1];
    if (next === undefined) refuse('a \\ at the end');
    if (next === 'Q') return this.#quoted();
    if (next === 'E') {
      this.#at += 2;
      return;
    }
    const where = ASSERTIONS.get(next);
    if (where !== undefined) {
      this.#at += 2;
      return this.#assert(where);
    }
    const reference = this.#reference();
    if (reference) return this.#repeated(reference);
    if (next === 'R') {
      this.#at += 2;
      return this.#repeated(NEWLINE);
    }
    const { text, length } = escaped(this.#pattern, this.#at);
    this.#at += length;
    this.#repeated({ kind: 'character', source: text });
  }

  #quoted(): void {
    const end = this.#pattern.indexOf('\\E', this.#at + 2);
    const quoted = [...this.#pattern.slice(this.#at + 2, end === -1 ? undefined : end)];
    this.#at = end === -1 ? this.#pattern.length : end + 2;
    const last = quoted.pop();
    for (const char of quoted) this.#put({ kind: 'character', source: literal(char) });
    // A quantifier behind \E is that of the last character.
    if (last !== undefined) this.#repeated({ kind: 'character', source: literal(last) });
  }

  /** `\1`, `\g2`, `\g{-1}`, `\k<name>` and their like. */
  #reference(): Node | undefined {
    const rest = this.#pattern.slice(this.#at, this.#at + 80);
    const named = /^\\(?:k<(\w+)>|k'(\w+)'|k\{(\w+)\}|g\{([A-Za-z_]\w*)\})/.exec(rest);
    if (named) {
      this.#at += named[0].length;
      return this.#byName(named[1] ?? named[2] ?? named[3] ?? named[4] ?? '');
    }
    if (/^\\g(?:<|')/.test(rest)) refuse('recursion');
    const numbered = /^\\(?:g\{?(-?[0-9]{1,3})\}?|([1-9][0-9]?))/.exec(rest);
    if (!numbered) return undefined;
    const number = Number(numbered[1] ?? numbered[2]);
    // Like PCRE: two digits are a reference only when there are so many groups, else octal.
    if (numbered[2] !== undefined && number > 9 && number > this.#groups) return undefined;
    this.#at += numbered[0].length;
    const group = number < 0 ? this.#groups + 1 + number : number;
    this.#numbered.push(group);
    return { kind: 'reference', group };
  }

  #byName(name: string): Node {
    const node = { kind: 'reference' as const, group: 0 };
    this.#named.push({ name, node });
    return node;
  }

  #class(): void {
    this.#at++;
    const negated = this.#pattern[this.#at] === '^';
    if (negated) this.#at++;
    let out = negated ? '[^' : '[';
    for (let first = true; ; first = false) {
      if (this.#at >= this.#pattern.length) refuse('a class that is never closed');
      if (this.#pattern[this.#at] === ']' && !first) break;
      const from = this.#member();
      out += from.text;
      // Elsewhere than between two single characters PCRE takes a hyphen as itself.
      if (!from.single || !/^-[^\]]/.test(this.#pattern.slice(this.#at, this.#at + 2))) continue;
      this.#at++;
      const to = this.#member();
      if (to.single && !inOrder(from.text, to.text)) refuse('a range that ends before it begins');
      out += to.single ? `-${to.text}` : `\\-${to.text}`;
    }
    this.#at++;
    this.#repeated({ kind: 'character', source: `${out}]` });
  }

  /** What stands next in a class; `single` when it is one character, which a range may begin or end. */
  #member(): { readonly text: string; readonly single: boolean } {
    const posix = /^\[([:.=])(\^?)([a-z]*)\1\]/.exec(this.#pattern.slice(this.#at, this.#at + 16));
    if (posix) {
      const text = POSIX_CLASSES.get(posix[3] ?? '');
      if (posix[1] !== ':' || text === undefined) refuse(`the class ${posix[0]}`);
      if (posix[2] === '^') refuse(`the negated class ${posix[0]}`);
      this.#at += posix[0].length;
      return { text, single: false };
    }
    const char = this.#char();
    if (char !== '\\') {
      this.#at += char.length;
      return { text: char === '-' ? '\\-' : literal(char), single: true };
    }
    const single = !className(this.#pattern.slice(this.#at, this.#at + 2));
    const { text, length } = escapedInClass(this.#pattern, this.#at);
    this.#at += length;
    return { text, single };
  }

  #char(): string {
    return String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
  }

  #assert(where: Where): void {
    this.#put({ kind: 'assertion', where });
  }

  #put(node: Node): void {
    this.#frame().items.push(node);
  }

  #frame(): Frame {
    return this.#open.at(-1) ?? refuse('a ) without (');
  }
}

/** Of two characters of a class, as their source has them: JavaScript's own engine says. */
function inOrder(from: string, to: string): boolean {
  try {
    new RegExp(`[${from}-${to}]`, 'u');
    return true;
  } catch {
    return false;
  }
}

/** As PCRE has it. */
const MOST_TIMES = 65_535;

function bounds(match: RegExpExecArray): readonly [number, number] {
  const [, sign, least, comma, most] = match;
  if (sign !== undefined) return [sign === '+' ? 1 : 0, sign === '?' ? 1 : Number.POSITIVE_INFINITY];
  if (comma === undefined) return [Number(least), Number(least)];
  return [Number(least), most === undefined || most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}

function bodyOf(frame: Frame): Node {
  const last = sequence(frame.items);
  return frame.options.length === 0 ? last : { kind: 'choice', options: [...frame.options, last] };
}

function sequence(items: readonly Node[]): Node {
  const [only] = items;
  return items.length === 1 && only ? only : { kind: 'sequence', items };
}

const ASSERTIONS: ReadonlyMap<string, Where> = new Map([
  ['b', 'boundary'],
  ['B', 'no boundary'],
  ['A', 'start'],
  ['z', 'end'],
  ['Z', 'last line end'],
]);

/** `\R` never takes the half of a CRLF. */
const NEWLINE: Node = {
  kind: 'atomic',
  body: {
    kind: 'choice',
    options: [
      {
        kind: 'sequence',
        items: [
          { kind: 'character', source: '\\r' },
          { kind: 'character', source: '\\n' },
        ],
      },
      { kind: 'character', source: '[\\n\\v\\f\\r\\x85\\u2028\\u2029]' },
    ],
  },
};

const KINDS: Readonly<Record<string, string>> = {
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  // PCRE's are ASCII, JavaScript's are not.
  s: '[\\t-\\r ]',
  S: '[^\\t-\\r ]',
  N: '[^\\n]',
  h: '[\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
  H: '[^\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]',
  v: '[\\n\\v\\f\\r\\x85\\u2028\\u2029]',
  V: '[^\\n\\v\\f\\r\\x85\\u2028\\u2029]',
};

const REFUSED: Readonly<Record<string, string>> = {
  G: 'the assertion \\G',
  K: 'the reset \\K',
  C: 'the single byte \\C',
  X: 'the grapheme \\X',
  L: 'the escape \\L',
  U: 'the escape \\U',
  l: 'the escape \\l',
  u: 'the escape \\u',
};

function escaped(pattern: string, at: number): { text: string; length: number } {
  const next = pattern[at + 1] ?? '';
  const refused = REFUSED[next];
  if (refused !== undefined) refuse(refused);
  const kind = KINDS[next];
  return kind === undefined ? escapedInClass(pattern, at) : { text: kind, length: 2 };
}

const SYNTAX = /[\^$\\.*+?()[\]{}|/]/;

function literal(char: string): string {
  if (char.length === 1 && char >= '\ud800' && char <= '\udfff') return `\\u${char.charCodeAt(0).toString(16)}`;
  return SYNTAX.test(char) ? `\\${char}` : char;
}

function refuse(what: string): never {
  throw new ValueError(`a regular expression that JavaScript can express, without ${what}`);
}
