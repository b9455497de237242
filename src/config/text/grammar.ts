import { ConfigError } from '../errors.ts';
import type { Place, RawValue } from '../option.ts';
import { type Budget, type IncludeItem, type Item, LIMITS, type StanzaItem } from './items.ts';
import { Lexer, type Mark, type TokenKind } from './lexer.ts';
import { nuls } from './nuls.ts';

/**
 * Parses a whole file, and goes on behind each error, so that all are found at once. A wrong item is left out; what is
 * right beside it is kept.
 *
 * @param errors where errors are added, in the order of the text
 */
export function parse(
  text: string,
  file: string,
  errors: ConfigError[],
  budget: Budget = { items: 0 },
): readonly Item[] {
  const parsing = new Parsing(text, file, errors, budget);
  while (parsing.step());
  return parsing.items;
}

/** A value alone, as the console takes it. @returns undefined when there is none; then `errors` tells why */
export function parseValue(text: string, file: string, errors: ConfigError[]): RawValue | undefined {
  return new Parsing(text, file, errors, { items: 0 }).onlyValue();
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** A file, or an open stanza in it, whose items are being read. */
interface Level {
  readonly items: Item[];
  /** The stanza, for who must be told that it is never closed. */
  readonly open: StanzaItem | undefined;
  /** Where its `{` stands. */
  readonly line: number;
  readonly column: number;
  /** What is in it is read for its errors only. */
  dropped: boolean;
}

/** A file that is parsed item by item, so that who has other things to do can do them in between. */
export class Parsing {
  /** Complete when there is no step left. */
  readonly items: readonly Item[];
  /** The directives among them, at any depth, in their order. */
  readonly includes: IncludeItem[] = [];
  readonly #levels: Level[];
  readonly #lexer: Lexer;
  readonly #errors: ConfigError[];
  readonly #budget: Budget;
  readonly #told = new Set<string>();
  #full = false;
  #begun = false;

  constructor(text: string, file: string, errors: ConfigError[], budget: Budget) {
    this.#errors = errors;
    this.#budget = budget;
    // A NUL is an error wherever it stands, and means nothing after that.
    const clean = text.includes('\0') ? text.replaceAll('\0', ' ') : text;
    const bare = clean.charCodeAt(0) === 0xfeff ? ` ${clean.slice(1)}` : clean;
    this.#lexer = new Lexer(bare, file, (message, place, near) => this.#complain(message, place, near));
    if (clean !== text) for (const place of nuls(text, file)) this.#complain('a NUL character', place, '\\0');
    const items: Item[] = [];
    this.items = items;
    this.#levels = [{ items, open: undefined, line: 1, column: 1, dropped: false }];
  }

  /** Reads the next item, or the end of a stanza. @returns false when there is nothing left */
  step(): boolean {
    const lexer = this.#lexer;
    const level = this.#levels.at(-1);
    if (!level) return false;
    if (!this.#begun) {
      this.#begun = true;
      lexer.next(false);
    }
    if (lexer.kind === 'end') {
      this.#neverClosed();
    } else if (lexer.kind !== '}') {
      if (++this.#budget.items > LIMITS.items) this.#tooMany();
      else this.#itemInto(level);
    } else if (this.#levels.length > 1) {
      this.#levels.pop();
      lexer.next(false);
    } else {
      this.#complain("'}' without '{'", lexer.place, '}');
      lexer.next(false);
    }
    return this.#levels.length > 0;
  }

  #neverClosed(): void {
    for (let level = this.#levels.pop(); level; level = this.#levels.pop()) {
      if (!level.open || this.#full) continue;
      const { name, instance, at } = level.open;
      const title = instance === undefined ? name : `${name} "${instance}"`;
      const brace = { file: at.file, line: level.line, column: level.column };
      this.#complain(`the '{' of ${title} is never closed`, brace, name);
    }
  }

  #itemInto(level: Level): void {
    const item = this.#item();
    if (item) level.items.push(item);
    if (item?.kind === 'include' && !level.dropped) this.includes.push(item);
    // A stanza is a level of its own by now.
    const inner = this.#levels.at(-1);
    if (inner && inner !== level) inner.dropped = level.dropped || item === undefined;
  }

  onlyValue(): RawValue | undefined {
    const lexer = this.#lexer;
    if (lexer.next(false) === '=') lexer.next(false);
    if (lexer.kind === 'end' || lexer.kind === ')' || lexer.kind === ']') {
      this.#complain('a value is missing', lexer.place, lexer.value);
      return undefined;
    }
    const value = this.#value();
    if (value && !this.#is('end'))
      this.#complain(
        `'${lexer.value}' behind the value: quote what holds blanks or special characters`,
        lexer.place,
        lexer.value,
      );
    return value;
  }

  #item(): Item | undefined {
    const lexer = this.#lexer;
    const at = lexer.place;
    const name = lexer.value;
    if (lexer.kind !== 'word') return this.#noName();
    if (name === ';') {
      this.#complain("there is no ';' in this language: an item ends where the next begins", at, name);
      lexer.next(false);
      return undefined;
    }
    const wrong = !NAME.test(name);
    if (wrong)
      this.#complain(
        `'${name}' is no name: a name is made of letters, digits and _${name.endsWith(';') ? ", and nothing ends with ';'" : ''}`,
        at,
        name,
      );
    const item = this.#afterName(name, at);
    return wrong ? undefined : item;
  }

  #afterName(name: string, at: Place): Item | undefined {
    const lexer = this.#lexer;
    switch (lexer.next(false)) {
      case '{':
        return this.#stanza(name, at, undefined);
      case '(':
      case '[':
        return this.#option(name, at);
      case '=':
        return lexer.next(false) === '{' ? this.#stanza(name, at, undefined) : this.#option(name, at);
      case 'word':
      case 'text':
        return this.#afterText(name, at);
      default:
        this.#complain(`'=' or '{' is missing behind '${name}'`, at, name);
        // A lone `)` or `]` means nothing; `}` and the end belong to who called.
        if (lexer.kind !== '}' && lexer.kind !== 'end') lexer.next(false);
        return undefined;
    }
  }

  #afterText(name: string, at: Place): Item | undefined {
    const lexer = this.#lexer;
    const text = lexer.value;
    const word = name.toLowerCase();
    if (word === 'include' || word === 'readonly_include') {
      const semicolon = lexer.kind === 'word' && text.endsWith(';');
      if (semicolon) this.#semicolon(text, lexer.place);
      lexer.next(false);
      return semicolon ? undefined : { kind: 'include', readOnly: word === 'readonly_include', path: text, at };
    }
    const mark = lexer.mark;
    const textLine = lexer.line;
    const kind = lexer.next(false);
    if (kind === '{') return this.#stanza(name, at, text);
    if (kind === '=' && lexer.next(false) === '{') return this.#stanza(name, at, text);
    if (textLine === at.line || kind !== '=') {
      this.#complain(`'=' is missing between '${name}' and '${text}'`, at, name);
      // `a b = c`: nobody knows which of the two is meant.
      if (kind === '=') this.#discardValue();
      else if (lexer.kind !== '{' && this.#sameLine(textLine)) this.#skipLine(textLine);
      return undefined;
    }
    // The text begins an item on a line of its own.
    this.#complain(`'=' or '{' is missing behind '${name}'`, at, name);
    lexer.back(mark);
    lexer.next(false);
    return undefined;
  }

  #option(name: string, at: Place): Item | undefined {
    const value = this.#value();
    return value && { kind: 'option', name, at, value };
  }

  /** The value that the current token begins; the token behind it becomes the current one. */
  #value(): RawValue | undefined {
    const lexer = this.#lexer;
    const at = lexer.place;
    switch (lexer.kind) {
      case 'word':
      case 'text': {
        const value: RawValue = { kind: 'text', text: lexer.value, quoted: lexer.kind === 'text', at };
        lexer.next(false);
        if (value.quoted || !value.text.endsWith(';')) return value;
        return this.#semicolon(value.text, at);
      }
      case '(':
        return this.#array(at);
      case '[':
        return this.#dictionary(at);
      default:
        this.#complain(`a value is missing before ${shown(lexer.kind)}`, at, lexer.value);
        if (lexer.kind === ')' || lexer.kind === ']' || lexer.kind === '=') lexer.next(false);
        return undefined;
    }
  }

  #semicolon(text: string, at: Place): undefined {
    this.#complain(
      `'${text}' ends with ';': there is no such terminator here (quote the text if it is meant)`,
      at,
      text,
    );
  }

  #array(at: Place, inner = false): RawValue | undefined {
    const lexer = this.#lexer;
    const items: { text: string; at: Place }[] = [];
    let last: Mark | undefined;
    let wrong = false;
    for (;;) {
      const kind = lexer.next(true);
      if (kind === 'word' || kind === 'text') {
        if (++this.#budget.items > LIMITS.items) return this.#tooMany();
        items.push({ text: lexer.value, at: lexer.place });
        last = lexer.mark;
      } else if (kind === ')') {
        // Behind an array inside a dictionary a comma still separates.
        lexer.next(inner);
        return wrong ? undefined : { kind: 'array', items, at };
      } else if (kind === '(' || kind === '[') {
        this.#complain(`'${kind}' inside an array: its items are texts`, lexer.place, kind);
        this.#discardNested(kind);
        wrong = true;
      } else if (kind !== ',') {
        this.#complain("this '(' is never closed", at, '(');
        this.#resume(last, inner);
        return undefined;
      }
    }
  }

  #dictionary(at: Place): RawValue | undefined {
    const lexer = this.#lexer;
    const entries: { key: string; value: RawValue; at: Place }[] = [];
    let wrong = false;
    lexer.next(true);
    for (;;) {
      while (lexer.kind === ',') lexer.next(true);
      if (lexer.kind === ']') {
        lexer.next(false);
        return wrong ? undefined : { kind: 'dictionary', entries, at };
      }
      if (lexer.kind !== 'word' && lexer.kind !== 'text') {
        this.#complain("this '[' is never closed", at, '[');
        this.#resume(undefined, false);
        return undefined;
      }
      if (++this.#budget.items > LIMITS.items) return this.#tooMany();
      const key = lexer.value;
      const keyAt = lexer.place;
      if (lexer.next(true) !== '=') {
        this.#complain(`'=' is missing behind the key '${key}'`, keyAt, key);
        wrong = true;
        continue;
      }
      const value = this.#dictionaryValue();
      if (value) entries.push({ key, value, at: keyAt });
      else wrong = true;
    }
  }

  #dictionaryValue(): RawValue | undefined {
    const lexer = this.#lexer;
    const kind = lexer.next(true);
    const at = lexer.place;
    if (kind === 'word' || kind === 'text') {
      const value: RawValue = { kind: 'text', text: lexer.value, quoted: kind === 'text', at };
      lexer.next(true);
      return value;
    }
    if (kind === '(') return this.#array(at, true);
    this.#complain(
      kind === '[' ? 'a dictionary inside a dictionary' : `a value is missing before ${shown(kind)}`,
      at,
      lexer.value,
    );
    if (kind === '[') {
      this.#discardNested('[');
      lexer.next(true);
    } else if (kind === '=' || kind === ')') {
      lexer.next(true);
    }
    return undefined;
  }

  /** What is in it comes with the next steps. */
  #stanza(name: string, at: Place, instance: string | undefined): Item | undefined {
    const lexer = this.#lexer;
    const { line, column } = lexer;
    if (this.#levels.length > LIMITS.nesting) {
      this.#complain(`more than ${LIMITS.nesting} stanzas inside each other`, at, name);
      this.#discardBlock();
      return undefined;
    }
    lexer.next(false);
    const items: Item[] = [];
    const open: StanzaItem = { kind: 'stanza', name, at, instance, items };
    this.#levels.push({ items, open, line, column, dropped: false });
    return open;
  }

  #noName(): undefined {
    const lexer = this.#lexer;
    const { line, kind } = lexer;
    this.#complain(
      `a name must stand here, not ${kind === 'text' ? `the quoted text "${lexer.value.slice(0, 40)}"` : shown(kind)}`,
      lexer.place,
      lexer.value.slice(0, 40),
    );
    if (kind === '{') this.#discardBlock();
    else if (kind === '(' || kind === '[') {
      this.#discardNested(kind);
      lexer.next(false);
    } else {
      lexer.next(false);
      this.#skipLine(line);
    }
  }

  /** The lexer moves inside calls, which the compiler cannot see. */
  #is(kind: TokenKind): boolean {
    return this.#lexer.kind === kind;
  }

  #sameLine(line: number): boolean {
    return this.#lexer.line === line && this.#lexer.kind !== '}' && this.#lexer.kind !== 'end';
  }

  /** The rest of a line that makes no sense; a block that begins there is read for its own errors. */
  #skipLine(line: number): void {
    const lexer = this.#lexer;
    while (this.#sameLine(line)) {
      if (lexer.kind === '{') {
        if (this.#levels.length > LIMITS.nesting) return this.#discardBlock();
        lexer.next(false);
        this.#levels.push({ items: [], open: undefined, line, column: 1, dropped: true });
        return;
      }
      if (lexer.kind === '(' || lexer.kind === '[') this.#discardNested(lexer.kind);
      lexer.next(false);
    }
  }

  #discardValue(): void {
    const lexer = this.#lexer;
    if (lexer.kind === '(' || lexer.kind === '[') {
      this.#discardNested(lexer.kind);
      lexer.next(false);
    } else if (lexer.kind === 'word' || lexer.kind === 'text') {
      lexer.next(false);
    }
  }

  /** Behind an opening bracket: up to its partner, which becomes the current token, or to where it surely is missing. */
  #discardNested(open: '(' | '['): void {
    const lexer = this.#lexer;
    const close = open === '(' ? ')' : ']';
    for (let deep = 1; deep > 0; ) {
      const kind = lexer.next(true);
      if (kind === open) deep++;
      else if (kind === close) deep--;
      else if (kind === '{' || kind === '}' || kind === 'end') {
        lexer.back(lexer.mark);
        return;
      }
    }
  }

  /** From `{` to behind its `}`. */
  #discardBlock(): void {
    const lexer = this.#lexer;
    for (let deep = 1; deep > 0; ) {
      const kind = lexer.next(false);
      if (kind === '{') deep++;
      else if (kind === '}') deep--;
      else if (kind === 'end') return;
    }
    lexer.next(false);
  }

  /** Where an array breaks off: the last text was most likely the name of the next option. */
  #resume(last: Mark | undefined, inner: boolean): void {
    const lexer = this.#lexer;
    if (lexer.kind === '=' && last) lexer.back(last);
    else if (lexer.kind === '=') return void lexer.next(inner);
    else lexer.back(lexer.mark);
    lexer.next(inner);
  }

  #tooMany(): undefined {
    if (!this.#full)
      this.#complain(`more than ${LIMITS.items} items in all files together`, this.#lexer.place, this.#lexer.value);
    this.#full = true;
    while (this.#lexer.next(false) !== 'end');
  }

  #complain(message: string, place: Place, near: string): void {
    if (this.#errors.length === LIMITS.errors)
      this.#errors.push(new ConfigError(`more than ${LIMITS.errors} errors: the others are not shown`, { place }));
    if (this.#errors.length > LIMITS.errors) return;
    // What was read again, from a mark, complains again.
    const key = `${place.line}:${place.column}:${message}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#errors.push(new ConfigError(message, { place, near }));
  }
}

function shown(kind: string): string {
  return kind === 'end' ? 'the end of the file' : `'${kind}'`;
}
