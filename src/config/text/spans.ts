import { Lexer } from './lexer.ts';

/** Where one item of a text stands, in UTF-16 offsets; `end` is behind its last token. */
export type Span = OptionSpan | StanzaSpan | IncludeSpan;

export interface OptionSpan {
  readonly kind: 'option';
  readonly start: number;
  readonly end: number;
  /** First character of the value. */
  readonly value: number;
  /** Whether `=` stands before it: brackets need none. */
  readonly equals: boolean;
}

export interface StanzaSpan {
  readonly kind: 'stanza';
  readonly start: number;
  readonly end: number;
  /** Behind the `{`. */
  readonly open: number;
  /** At the `}`. */
  readonly close: number;
  readonly items: readonly Span[];
}

export interface IncludeSpan {
  readonly kind: 'include';
  readonly start: number;
  readonly end: number;
}

/**
 * The spans of a text's items, one for each item that `parse` gives, in the same order. Apart from the parser, since
 * only a writeback wants them and a hundred thousand stanzas should not carry them.
 *
 * @param text one that `parse` has read without an error
 * @throws Error for any other text
 */
export function spansOf(text: string): readonly Span[] {
  const bare = text.charCodeAt(0) === 0xfeff ? ` ${text.slice(1)}` : text;
  const lexer = new Lexer(bare, '', wrong);
  lexer.next(false);
  const spans = items(lexer);
  if (lexer.kind !== 'end') wrong();
  return spans;
}

function items(lexer: Lexer): readonly Span[] {
  const spans: Span[] = [];
  while (lexer.kind !== '}' && lexer.kind !== 'end') spans.push(item(lexer));
  return spans;
}

function item(lexer: Lexer): Span {
  const start = lexer.offset;
  const name = lexer.value.toLowerCase();
  if (lexer.kind !== 'word') wrong();
  switch (lexer.next(false)) {
    case '{':
      return stanza(lexer, start);
    case '(':
    case '[':
      return option(lexer, start, false);
    case '=':
      return lexer.next(false) === '{' ? stanza(lexer, start) : option(lexer, start, true);
    case 'word':
    case 'text': {
      const end = lexer.end;
      const next = lexer.next(false);
      if (name === 'include' || name === 'readonly_include') return { kind: 'include', start, end };
      if (next !== '{' && (next !== '=' || lexer.next(false) !== '{')) wrong();
      return stanza(lexer, start);
    }
    default:
      return wrong();
  }
}

function stanza(lexer: Lexer, start: number): Span {
  const open = lexer.end;
  lexer.next(false);
  const inner = items(lexer);
  if (lexer.kind !== '}') wrong();
  const span: Span = { kind: 'stanza', start, end: lexer.end, open, close: lexer.offset, items: inner };
  lexer.next(false);
  return span;
}

function option(lexer: Lexer, start: number, equals: boolean): Span {
  const value = lexer.offset;
  let deep = 0;
  for (;;) {
    if (lexer.kind === '(' || lexer.kind === '[') deep++;
    else if (lexer.kind === ')' || lexer.kind === ']') deep--;
    else if (lexer.kind === 'end' || lexer.kind === '{' || lexer.kind === '}') wrong();
    if (deep === 0) break;
    lexer.next(true);
  }
  const span: Span = { kind: 'option', start, end: lexer.end, value, equals };
  lexer.next(false);
  return span;
}

function wrong(): never {
  throw new Error('the spans of a text were asked for that is no configuration');
}
