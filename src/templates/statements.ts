import { type Escape, UrlWatch } from './escape.ts';
import { type Expression, ExpressionTrouble, type Parsed, parseExpression } from './expression.ts';
import { kindOf } from './operators.ts';
import type { Body, Run } from './run.ts';
import { type Piece, piecesOf } from './tags.ts';
import { TemplateError } from './trouble.ts';
import { isArray, truth } from './value.ts';

/** Blocks in each other. */
export const DEEPEST_BLOCKS = 50;

type Tag = Extract<Piece, { kind: 'tag' }>;

/** Text that does not change, and how expressions of a part are written. */
export interface Compiled {
  readonly body: Body;
  /** The whole of it is text: nothing in it depends on data. */
  readonly constant: string | undefined;
}

/** @throws TemplateError of kind `syntax` */
export function compile(source: string, part: string, manner: Escape): Compiled {
  const pieces = piecesOf(source, part);
  if (pieces.every((piece) => piece.kind === 'text')) {
    const text = pieces.map((piece) => piece.text).join('');
    return { body: (run) => run.write(text), constant: text };
  }
  return { body: new Builder(pieces, part, manner).whole(), constant: undefined };
}

class Builder {
  readonly #pieces: readonly Piece[];
  readonly #part: string;
  readonly #escape: Escape;
  readonly #url = new UrlWatch();
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[], part: string, manner: Escape) {
    this.#pieces = pieces;
    this.#part = part;
    this.#escape = manner;
  }

  whole(): Body {
    const { body, end } = this.#block(undefined);
    if (end !== undefined) this.#wrong(end.line, `'${end.word}' belongs to no 'if' or 'each'`);
    return body;
  }

  /** @param opened the tag that must be closed again */
  #block(opened: Tag | undefined): { body: Body; end: { word: string; rest: string; line: number } | undefined } {
    const bodies: Body[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) {
        if (opened !== undefined) this.#wrong(opened.line, `'${wordOf(opened).word}' has no 'end'`);
        return { body: inOrder(bodies), end: undefined };
      }
      if (piece.kind === 'text') {
        const { text } = piece;
        this.#url.see(text);
        bodies.push((run) => run.write(text));
        continue;
      }
      if (!piece.statement) {
        bodies.push(this.#output(piece));
        continue;
      }
      const { word, rest } = wordOf(piece);
      if (word !== 'if' && word !== 'each') {
        if (word !== 'elseif' && rest !== '') this.#wrong(piece.line, `'${word}' takes nothing`);
        return { body: inOrder(bodies), end: { word, rest, line: piece.line } };
      }
      this.#depth++;
      if (this.#depth > DEEPEST_BLOCKS) this.#wrong(piece.line, `blocks are nested more than ${DEEPEST_BLOCKS} deep`);
      bodies.push(word === 'if' ? this.#if(piece, rest) : this.#each(piece, rest));
      this.#depth--;
    }
  }

  #output(tag: Tag): Body {
    const { value, dynamic } = this.#expression(tag.code, tag.line);
    const { line } = tag;
    if (dynamic)
      return (run) => {
        run.line = line;
        run.step();
        run.inside(value(run));
      };
    const how: Escape = tag.raw ? 'none' : this.#url.inside ? 'url' : this.#escape;
    return (run) => {
      run.line = line;
      run.step();
      run.print(value(run), how);
    };
  }

  #if(opening: Tag, first: string): Body {
    const choices: { readonly when: Expression; readonly line: number; readonly then: Body }[] = [];
    let condition: string | undefined = first;
    let { line } = opening;
    for (;;) {
      const when: Expression = condition === undefined ? () => true : this.#condition(condition, line);
      const { body, end } = this.#block(opening);
      choices.push({ when, line, then: body });
      if (end === undefined || end.word === 'end') break;
      if (condition === undefined) this.#wrong(end.line, `'${end.word}' stands behind 'else'`);
      condition = end.word === 'else' ? undefined : end.rest;
      line = end.line;
    }
    return (run) => {
      for (const choice of choices) {
        run.line = choice.line;
        run.step();
        if (truth(choice.when(run))) return choice.then(run);
      }
      return undefined;
    };
  }

  #each(opening: Tag, code: string): Body {
    const { line } = opening;
    const { value, name, dynamic } = this.#expression(code, line);
    if (dynamic) this.#wrong(line, 'render_dynamic_content is no array');
    const { body, end } = this.#block(opening);
    if (end !== undefined && end.word !== 'end') this.#wrong(end.line, `'${end.word}' belongs to no 'if'`);
    return (run) => loop(run, { list: value, name: name ?? '', body, line });
  }

  #condition(code: string, line: number): Expression {
    const { value, dynamic } = this.#expression(code.replace(/(?<![\w.])then\s*$/, ''), line);
    if (dynamic) this.#wrong(line, 'render_dynamic_content is no condition');
    return value;
  }

  #expression(code: string, line: number): Parsed {
    try {
      return parseExpression(code);
    } catch (error) {
      if (error instanceof ExpressionTrouble) this.#wrong(line, `${error.message}: ${shown(code)}`);
      throw error;
    }
  }

  #wrong(line: number, what: string): never {
    throw new TemplateError('syntax', this.#part, line, what);
  }
}

interface Each {
  readonly list: Expression;
  readonly name: string;
  readonly body: Body;
  readonly line: number;
}

function loop(run: Run, { list, name, body, line }: Each): void {
  run.line = line;
  run.step();
  const entries = list(run);
  if (entries === undefined || entries === null || entries === false) return;
  if (!isArray(entries)) return run.fail(`'each' needs an array, and not ${kindOf(entries)}`);
  const outer = run.loop;
  for (let index = 0; index < entries.length; index++) {
    run.step();
    run.loop = { name, value: entries[index], index: index + 1, outer };
    body(run);
  }
  run.loop = outer;
}

function inOrder(bodies: readonly Body[]): Body {
  const [only] = bodies;
  if (only !== undefined && bodies.length === 1) return only;
  return (run) => {
    for (const body of bodies) body(run);
  };
}

function wordOf({ code }: Tag): { word: string; rest: string } {
  const [, word = '', rest = ''] = /^\s*([a-z]+)([\s\S]*)$/.exec(code) ?? [];
  return { word, rest: rest.trim() };
}

const shown = (code: string): string => code.trim().replace(/\s+/g, ' ').slice(0, 60);
