import type { Place } from '../option.ts';

/** `word` is bare, `text` was quoted; the others are the character itself. */
export type TokenKind = 'word' | 'text' | '{' | '}' | '(' | ')' | '[' | ']' | '=' | ',' | 'end';

/** Where the lexer can be set back to. */
export interface Mark {
  readonly offset: number;
  readonly line: number;
  readonly lineStart: number;
}

/**
 * Tokens of a configuration text (spec: lexical rules). There is no token object: the fields tell the last one read, so
 * that a file of a hundred thousand stanzas makes no garbage but what it keeps.
 */
export class Lexer {
  readonly file: string;
  readonly #text: string;
  readonly #complain: (text: string, place: Place, near: string) => void;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  kind: TokenKind = 'end';
  /** Of a word or text, its value; of others, the character. */
  value = '';
  /** First character of the token. */
  offset = 0;
  line = 1;
  column = 1;
  #startLineStart = 0;
  /** From here on no quote closes a text: a file of lines that each begin one is not searched to its end for each. */
  #noneCloses = Number.POSITIVE_INFINITY;

  constructor(text: string, file: string, complain: (text: string, place: Place, near: string) => void) {
    this.file = file;
    this.#text = text;
    this.#complain = complain;
  }

  /** Behind the last character of the token. */
  get end(): number {
    return this.#at;
  }

  get place(): Place {
    return { file: this.file, line: this.line, column: this.column };
  }

  /** @returns the start of the last token, for `back` */
  get mark(): Mark {
    return { offset: this.offset, line: this.line, lineStart: this.#startLineStart };
  }

  /** Reads again from a mark. */
  back(mark: Mark): void {
    this.#at = mark.offset;
    this.#line = mark.line;
    this.#lineStart = mark.lineStart;
  }

  /** @param listed inside `( )` and `[ ]`, where a comma separates */
  next(listed: boolean): TokenKind {
    this.#skip();
    this.offset = this.#at;
    this.line = this.#line;
    this.#startLineStart = this.#lineStart;
    this.column = this.#at - this.#lineStart + 1;
    if (this.#at >= this.#text.length) {
      this.value = '';
      return (this.kind = 'end');
    }
    const code = this.#text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        return this.#quoted();
      case APOSTROPHE:
        return this.#raw();
      case 0x7b:
        return this.#single('{');
      case 0x7d:
        return this.#single('}');
      case 0x28:
        return this.#single('(');
      case 0x29:
        return this.#single(')');
      case 0x5b:
        return this.#single('[');
      case 0x5d:
        return this.#single(']');
      case 0x3d:
        return this.#single('=');
      default:
        if (listed && code === COMMA) return this.#single(',');
        return this.#word(listed);
    }
  }

  #single(kind: TokenKind): TokenKind {
    this.#at++;
    this.value = kind;
    return (this.kind = kind);
  }

  #word(listed: boolean): TokenKind {
    let at = this.#at + 1;
    for (; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code < 0x80 && (ENDS_WORD[code] === 1 || (listed && code === COMMA))) break;
    }
    this.value = this.#text.slice(this.#at, at);
    this.#at = at;
    return (this.kind = 'word');
  }

  #quoted(): TokenKind {
    if (this.#at >= this.#noneCloses) return this.#unterminated('"');
    let close = this.#at;
    let escapes = false;
    for (;;) {
      close = this.#text.indexOf('"', close + 1);
      if (close === -1) {
        this.#noneCloses = this.#at;
        return this.#unterminated('"');
      }
      let slashes = 0;
      while (this.#text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes++;
      if (slashes > 0) escapes = true;
      if (slashes % 2 === 0) break;
    }
    const inner = this.#text.slice(this.#at + 1, close);
    this.value = escapes || inner.includes('\\') ? unescaped(inner) : inner;
    this.#moveTo(close + 1);
    return (this.kind = 'text');
  }

  #raw(): TokenKind {
    const close = this.#text.indexOf("'", this.#at + 1);
    const end = this.#endOfLine();
    if (close === -1 || close > end) return this.#unterminated("'");
    this.value = this.#text.slice(this.#at + 1, close);
    this.#at = close + 1;
    return (this.kind = 'text');
  }

  /** The text ends with its line: what follows is most likely as it should be. */
  #unterminated(quote: string): TokenKind {
    const end = this.#endOfLine();
    this.value = this.#text.slice(this.#at + 1, end).trimEnd();
    this.#complain(`this ${quote} is never closed`, this.place, this.value.slice(0, 40));
    this.#at = end;
    return (this.kind = 'text');
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end === -1 ? this.#text.length : end;
  }

  #skip(): void {
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === NEWLINE) {
        this.#at++;
        this.#line++;
        this.#lineStart = this.#at;
      } else if (code === SPACE || (code >= 0x09 && code <= 0x0d)) {
        this.#at++;
      } else if (code === HASH) {
        this.#at = this.#endOfLine();
      } else if (code === SLASH && this.#text.charCodeAt(this.#at + 1) === STAR) {
        this.#comment();
      } else {
        return;
      }
    }
  }

  #comment(): void {
    const close = this.#text.indexOf('*/', this.#at + 2);
    if (close !== -1) return this.#moveTo(close + 2);
    const place = { file: this.file, line: this.#line, column: this.#at - this.#lineStart + 1 };
    this.#complain(`the comment that begins on line ${this.#line} is never closed`, place, '/*');
    this.#moveTo(this.#text.length);
  }

  /** Over text that may hold newlines. */
  #moveTo(offset: number): void {
    for (let at = this.#text.indexOf('\n', this.#at); at !== -1 && at < offset; at = this.#text.indexOf('\n', at + 1)) {
      this.#line++;
      this.#lineStart = at + 1;
    }
    this.#at = offset;
  }
}

/** @returns whether a text can stand without quotes and is read as one word */
export function isBareWord(text: string): boolean {
  return BARE.test(text) && !text.startsWith('/*');
}

const QUOTE = 0x22;
const HASH = 0x23;
const APOSTROPHE = 0x27;
const STAR = 0x2a;
const COMMA = 0x2c;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const SPACE = 0x20;

const SPECIAL = ' \t\n\v\f\r#"\'={}[]()';
const ENDS_WORD = Uint8Array.from({ length: 128 }, (_, code) => (SPECIAL.includes(String.fromCharCode(code)) ? 1 : 0));
const BARE = /^[^\0\t-\r #"'={}[\]()]+$/;

/** A backslash before any other character stays, with that character, so that patterns need no doubling. */
function unescaped(text: string): string {
  return text.replace(/\\([\\"nrt])/g, (_, char: string) => ({ n: '\n', r: '\r', t: '\t' })[char] ?? char);
}
