import { ValueError } from '../option.ts';
import { className, escapedInClass, POSIX_CLASSES } from './pattern-classes.ts';

/**
 * Translates a PCRE pattern into a JavaScript one with the same matches. What JavaScript cannot express is refused by
 * name: recursion, possessive quantifiers, conditionals, verbs, branch reset, callouts, options that change inside.
 *
 * @param pattern without delimiters
 * @throws ValueError that names the construct
 * @see pcrepattern(3), the syntax that Momentum's regular expressions follow
 */
export function compilePattern(pattern: string, options: { readonly ignoreCase?: boolean } = {}): RegExp {
  if (pattern.length > LONGEST) throw new ValueError(`a regular expression of at most ${LONGEST} characters`);
  const { source, flags } = new Translator(pattern, options.ignoreCase ?? false).translate();
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /, '') : String(error);
    throw new ValueError(`a regular expression (${why})`, { cause: error });
  }
}

const LONGEST = 8192;
const SYNTAX = /[\^$\\.*+?()[\]{}|/]/;
const END = '(?![\\s\\S])';
const NEWLINE = '(?:\\r\\n|[\\n\\v\\f\\r\\x85\\u2028\\u2029])';

/** One pass from left to right. Numbers of groups are settled at the end, since atomic groups add some of their own. */
class Translator {
  readonly #pattern: string;
  #at = 0;
  readonly #out: string[] = [];
  #ignoreCase: boolean;
  #multiline = false;
  #dotAll = false;
  #extended = false;
  /** JavaScript's number for each capturing group of the pattern; index 0 is not used. */
  readonly #numbers: number[] = [0];
  #groups = 0;
  readonly #names = new Set<string>();
  readonly #references: { readonly index: number; readonly group: number }[] = [];
  /** What closes each open group. */
  readonly #open: string[] = [];

  constructor(pattern: string, ignoreCase: boolean) {
    this.#pattern = pattern;
    this.#ignoreCase = ignoreCase;
  }

  translate(): { source: string; flags: string } {
    if (this.#pattern.startsWith('(*')) refuse('a verb (*…)');
    this.#leadingOptions();
    while (this.#at < this.#pattern.length) this.#item();
    if (this.#open.length > 0) refuse('a group that is never closed');
    for (const { index, group } of this.#references) {
      const number = this.#numbers[group];
      if (number === undefined || group < 1) refuse(`a reference to group ${group}, which does not exist`);
      // The empty group keeps a digit behind the reference from joining it.
      this.#out[index] = `\\${number}(?:)`;
    }
    const flags = `u${this.#ignoreCase ? 'i' : ''}${this.#multiline ? 'm' : ''}`;
    return { source: this.#out.join('') || '(?:)', flags };
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
      case ')': {
        const close = this.#open.pop();
        if (close === undefined) refuse('a ) without (');
        this.#at++;
        this.#put(close);
        return this.#quantifier();
      }
      case '|':
        this.#at++;
        return this.#put('|');
      case '^':
        this.#at++;
        return this.#put('^');
      case '$':
        this.#at++;
        // PCRE's $ also matches before a newline at the very end.
        return this.#put(this.#multiline ? '$' : `(?=\\n?${END})`);
      case '.':
        this.#at++;
        this.#put(this.#dotAll ? '[\\s\\S]' : '[^\\n]');
        return this.#quantifier();
      case '*':
      case '+':
      case '?':
        return refuse(`a ${char} with nothing to repeat`);
      default:
        if (this.#extended && this.#skipExtended(char)) return;
        this.#at += char.length;
        this.#put(literal(char));
        return this.#quantifier();
    }
  }

  /** With (?x) blanks and comments between items mean nothing. */
  #skipExtended(char: string): boolean {
    if (/[ \t\n\v\f\r]/.test(char)) {
      this.#at++;
      return true;
    }
    if (char !== '#') return false;
    const end = this.#pattern.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#pattern.length : end + 1;
    return true;
  }

  #quantifier(): void {
    const rest = this.#pattern.slice(this.#at, this.#at + 32);
    const match = /^(?:[*+?]|\{[0-9]{1,5}(?:,[0-9]{0,5})?\})/.exec(rest);
    if (!match) return;
    this.#at += match[0].length;
    this.#put(match[0]);
    const next = this.#pattern[this.#at];
    if (next === '+') refuse('a possessive quantifier');
    if (next !== '?') return;
    this.#at++;
    this.#put('?');
  }

  #group(): void {
    const rest = this.#pattern.slice(this.#at, this.#at + 80);
    if (rest.startsWith('(*')) refuse('a verb (*…)');
    if (!rest.startsWith('(?')) {
      this.#capture();
      return this.#begin(1, '(', ')');
    }
    if (rest.startsWith('(?#')) {
      const end = this.#pattern.indexOf(')', this.#at);
      if (end === -1) refuse('a comment that is never closed');
      this.#at = end + 1;
      return;
    }
    for (const opening of ['(?:', '(?=', '(?!', '(?<=', '(?<!']) {
      if (rest.startsWith(opening)) return this.#begin(opening.length, opening, ')');
    }
    if (rest.startsWith('(?>')) {
      // A lookahead is never re-entered, so what it captured and the reference consumes stays as it is.
      this.#groups++;
      return this.#begin(3, '(?=(', `))\\${this.#groups}(?:)`, true);
    }
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named) {
      const name = named[1] ?? named[2] ?? '';
      if (this.#names.has(name)) refuse(`two groups named ${name}`);
      this.#names.add(name);
      this.#capture();
      return this.#begin(named[0].length, `(?<${name}>`, ')');
    }
    const reference = /^\(\?P=([A-Za-z_]\w*)\)/.exec(rest);
    if (reference) {
      this.#at += reference[0].length;
      this.#put(`\\k<${reference[1]}>`);
      return this.#quantifier();
    }
    if (rest.startsWith('(?(')) refuse('a conditional (?(…)');
    if (rest.startsWith('(?|')) refuse('a branch reset (?|…)');
    if (rest.startsWith('(?C')) refuse('a callout (?C)');
    if (/^\(\?(?:R|&|P>|[+-]?[0-9])/.test(rest)) refuse('recursion');
    if (/^\(\?[a-zA-Z^-]+[:)]/.test(rest)) refuse('an option that changes inside the pattern');
    refuse(`the group ${rest.slice(0, 3)}`);
  }

  #capture(): void {
    this.#groups++;
    this.#numbers.push(this.#groups);
  }

  #begin(length: number, opening: string, closing: string, grouped = false): void {
    if (this.#open.length >= 100) refuse('more than 100 groups inside each other');
    this.#at += length;
    this.#put(grouped ? `(?:${opening}` : opening);
    this.#open.push(grouped ? `${closing})` : closing);
  }

  #escape(): void {
    const next = this.#pattern[this.#at + 1];
    if (next === undefined) refuse('a \\ at the end');
    if (next === 'Q') {
      const end = this.#pattern.indexOf('\\E', this.#at + 2);
      const quoted = this.#pattern.slice(this.#at + 2, end === -1 ? undefined : end);
      this.#at = end === -1 ? this.#pattern.length : end + 2;
      for (const char of quoted) this.#put(literal(char));
      return this.#quantifier();
    }
    if (next === 'E') {
      this.#at += 2;
      return;
    }
    const assertion = ASSERTIONS[next];
    if (assertion !== undefined) {
      this.#at += 2;
      return this.#put(assertion);
    }
    const reference = this.#reference();
    if (!reference) {
      const { text, length } = escaped(this.#pattern, this.#at);
      this.#at += length;
      this.#put(text);
    }
    this.#quantifier();
  }

  /** `\1`, `\g2`, `\g{-1}`, `\k<name>` and their like. */
  #reference(): boolean {
    const rest = this.#pattern.slice(this.#at, this.#at + 80);
    const named = /^\\(?:k<(\w+)>|k'(\w+)'|k\{(\w+)\}|g\{([A-Za-z_]\w*)\})/.exec(rest);
    if (named) {
      this.#at += named[0].length;
      this.#put(`\\k<${named[1] ?? named[2] ?? named[3] ?? named[4]}>`);
      return true;
    }
    if (/^\\g(?:<|')/.test(rest)) refuse('recursion');
    const numbered = /^\\(?:g\{?(-?[0-9]{1,3})\}?|([1-9][0-9]?))/.exec(rest);
    if (!numbered) return false;
    const number = Number(numbered[1] ?? numbered[2]);
    // Like PCRE: two digits are a reference only when there are so many groups, else octal.
    if (numbered[2] !== undefined && number > 9 && number >= this.#numbers.length) return false;
    this.#at += numbered[0].length;
    this.#references.push({ index: this.#out.length, group: number < 0 ? this.#numbers.length + number : number });
    this.#put('');
    return true;
  }

  #class(): void {
    let at = this.#at + 1;
    let out = '[';
    if (this.#pattern[at] === '^') {
      out += '^';
      at++;
    }
    for (let first = true; ; first = false) {
      const char = at < this.#pattern.length ? String.fromCodePoint(this.#pattern.codePointAt(at) ?? 0) : undefined;
      if (char === undefined) refuse('a class that is never closed');
      if (char === ']' && !first) break;
      const posix = /^\[([:.=])(\^?)([a-z]*)\1\]/.exec(this.#pattern.slice(at, at + 16));
      if (posix) {
        const members = POSIX_CLASSES.get(posix[3] ?? '');
        if (posix[1] !== ':' || members === undefined) refuse(`the class ${posix[0]}`);
        if (posix[2] === '^') refuse(`the negated class ${posix[0]}`);
        out += members;
        at += posix[0].length;
      } else if (char === '\\') {
        const { text, length } = escapedInClass(this.#pattern, at);
        out += text;
        at += length;
      } else {
        // A - stays a range only between single characters; elsewhere PCRE takes it as itself.
        out += char === '-' ? this.#hyphen(at, first, out) : literal(char);
        at += char.length;
      }
    }
    this.#at = at + 1;
    this.#put(`${out}]`);
    this.#quantifier();
  }

  #hyphen(at: number, first: boolean, before: string): string {
    const rest = this.#pattern.slice(at + 1, at + 3);
    const range =
      !first &&
      !rest.startsWith(']') &&
      !rest.startsWith('[:') &&
      !className(rest) &&
      !/(?:\\[dDwWsS]|-)$/.test(before) &&
      !/\[\^?$/.test(before);
    return range ? '-' : '\\-';
  }

  #char(): string {
    return String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
  }

  #put(text: string): void {
    this.#out.push(text);
  }
}

const ASSERTIONS: Readonly<Record<string, string>> = {
  b: '\\b',
  B: '\\B',
  A: '(?<![\\s\\S])',
  z: END,
  Z: `(?=\\n?${END})`,
};

const KINDS: Readonly<Record<string, string>> = {
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  s: '\\s',
  S: '\\S',
  R: NEWLINE,
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

function literal(char: string): string {
  if (char.length === 1 && char >= '\ud800' && char <= '\udfff') return `\\u${char.charCodeAt(0).toString(16)}`;
  return SYNTAX.test(char) ? `\\${char}` : char;
}

function refuse(what: string): never {
  throw new ValueError(`a regular expression that JavaScript can express, without ${what}`);
}
