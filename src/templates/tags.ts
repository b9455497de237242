import { TemplateError } from './trouble.ts';

/** A stretch of a template: text that stands for itself, or what stands between braces. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tag';
      /** Without the braces. */
      readonly code: string;
      readonly raw: boolean;
      readonly statement: boolean;
      readonly line: number;
    };

/** Characters between two braces: no sensible expression is longer. */
export const MOST_TAG = 4096;
/** Tags of one part. */
export const MOST_TAGS = 20_000;

const STATEMENT = /^\s*(?:if|elseif|else|end|each)(?![A-Za-z0-9_])/;

/** Splits a template. A statement alone on its line takes the whole line with it, line end included. */
export function piecesOf(source: string, part: string): readonly Piece[] {
  const pieces: Piece[] = [];
  const lines = new LineCount(source);
  let at = 0;
  let tags = 0;
  for (;;) {
    const open = source.indexOf('{{', at);
    if (open === -1) break;
    const line = lines.at(open);
    if (++tags > MOST_TAGS) throw new TemplateError('syntax', part, line, `there are more than ${MOST_TAGS} tags`);
    const raw = source[open + 2] === '{';
    const from = open + (raw ? 3 : 2);
    const close = raw ? '}}}' : '}}';
    const to = closing(source, from, close);
    if (to === undefined) throw new TemplateError('syntax', part, line, `'${raw ? '{{{' : '{{'}' has no '${close}'`);
    const code = source.slice(from, to);
    const statement = !raw && STATEMENT.test(code);
    let textEnd = open;
    let next = to + close.length;
    if (statement) {
      const alone = lineAround(source, open, next);
      // A statement behind another one on the same line is not alone on it.
      if (alone !== undefined && alone.start >= at) {
        textEnd = alone.start;
        next = alone.end;
      }
    }
    if (textEnd > at) pieces.push({ kind: 'text', text: source.slice(at, textEnd) });
    pieces.push({ kind: 'tag', code, raw, statement, line });
    at = next;
  }
  if (at < source.length) pieces.push({ kind: 'text', text: source.slice(at) });
  return pieces;
}

/** Braces within a text of the code do not close. */
function closing(source: string, from: number, close: string): number | undefined {
  const last = Math.min(source.length, from + MOST_TAG);
  let quote = '';
  for (let at = from; at < last; at++) {
    const sign = source[at] ?? '';
    if (quote !== '') {
      if (sign === '\\') at++;
      else if (sign === quote) quote = '';
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '}' && source.startsWith(close, at)) return at;
  }
  return undefined;
}

/** Only looks at blanks, so however long the lines are, each is looked at a bounded number of times. */
function lineAround(source: string, open: number, close: number): { start: number; end: number } | undefined {
  let start = open;
  while (start > 0 && isBlank(source.charCodeAt(start - 1))) start--;
  if (start > 0 && source.charCodeAt(start - 1) !== LF) return undefined;
  let end = close;
  while (end < source.length && isBlank(source.charCodeAt(end))) end++;
  if (end === source.length) return { start, end };
  if (source.charCodeAt(end) === CR && source.charCodeAt(end + 1) === LF) return { start, end: end + 2 };
  return source.charCodeAt(end) === LF ? { start, end: end + 1 } : undefined;
}

const LF = 10;
const CR = 13;
const isBlank = (code: number): boolean => code === 32 || code === 9;

/** Asked for offsets that only grow. */
class LineCount {
  readonly #source: string;
  #line = 1;
  #seen = 0;

  constructor(source: string) {
    this.#source = source;
  }

  at(offset: number): number {
    for (;;) {
      const next = this.#source.indexOf('\n', this.#seen);
      if (next === -1 || next >= offset) return this.#line;
      this.#line++;
      this.#seen = next + 1;
    }
  }
}
