import { DYNAMIC, macro } from './macros.ts';
import { arithmetic, equal, length, relation } from './operators.ts';
import type { Run } from './run.ts';
import { type Token, tokensOf } from './tokens.ts';
import { member, topLevel, truth, type Value } from './value.ts';

/** A compiled expression. */
export type Expression = (run: Run) => Value;

export interface Parsed {
  readonly value: Expression;
  /** Of a path its last name: `b` of `a.b`; undefined for anything else. */
  readonly name: string | undefined;
  /** The value is a template, which is rendered in place: render_dynamic_content. */
  readonly dynamic: boolean;
}

/** Parentheses, brackets and signs in each other. */
export const DEEPEST_EXPRESSION = 50;

export const KEYWORDS: ReadonlySet<string> = new Set([
  'and',
  'each',
  'else',
  'elseif',
  'end',
  'false',
  'if',
  'nil',
  'not',
  'or',
  'then',
  'true',
]);

/** Says what is wrong; whoever knows part and line makes an error of it. */
export class ExpressionTrouble extends Error {}

/** @throws ExpressionTrouble */
export function parseExpression(code: string): Parsed {
  const tokens = tokensOf(code);
  if (typeof tokens === 'string') throw new ExpressionTrouble(`'${tokens}' cannot be read`);
  if (tokens.length === 0) throw new ExpressionTrouble('there is nothing between the braces');
  return new Parser(tokens).whole();
}

/** Lua's operators by how strongly they bind, the weakest first; `not`, `-` and `#` bind stronger than all of them. */
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/'],
];

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #name: string | undefined;
  #dynamic = false;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Parsed {
    const value = this.#level(0);
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new ExpressionTrouble(`'${textOf(rest)}' is not expected here`);
    return { value, name: this.#name, dynamic: this.#dynamic };
  }

  #level(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#level(level + 1);
    for (let operator = this.#taken(operators); operator !== undefined; operator = this.#taken(operators)) {
      left = binary(operator, left, this.#level(level + 1));
      this.#name = undefined;
    }
    return left;
  }

  #unary(): Expression {
    const operator = this.#taken(['not', '-', '#']);
    if (operator === undefined) return this.#postfix();
    this.#deeper();
    const of = this.#unary();
    this.#depth--;
    this.#name = undefined;
    if (operator === 'not') return (run) => !truth(of(run));
    if (operator === '#') return (run) => length(run, of(run));
    return (run) => arithmetic(run, '-', 0, of(run));
  }

  #postfix(): Expression {
    let value = this.#primary();
    for (;;) {
      if (this.#taken(['.']) !== undefined) {
        const name = this.#tokens[this.#at++];
        if (name?.kind !== 'name' || KEYWORDS.has(name.text)) throw new ExpressionTrouble("'.' needs a name behind it");
        this.#name = name.text;
        value = inField(value, name.text);
      } else if (this.#taken(['[']) !== undefined) {
        const token = this.#tokens[this.#at];
        this.#deeper();
        const key = this.#level(0);
        this.#depth--;
        this.#expect(']');
        this.#name = token?.kind === 'text' ? token.text : undefined;
        value = inBrackets(value, key);
      } else return value;
    }
  }

  #primary(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ExpressionTrouble('it ends too early');
    this.#name = undefined;
    switch (token.kind) {
      case 'number':
        return constant(token.value);
      case 'text':
        return constant(token.text);
      case 'sign': {
        if (token.text !== '(') throw new ExpressionTrouble(`'${token.text}' is not expected here`);
        this.#deeper();
        const inner = this.#level(0);
        this.#depth--;
        this.#expect(')');
        this.#name = undefined;
        return inner;
      }
      case 'name':
        return this.#named(token.text);
    }
  }

  #named(name: string): Expression {
    if (name === 'true' || name === 'false') return constant(name === 'true');
    if (name === 'nil') return constant(undefined);
    if (KEYWORDS.has(name)) throw new ExpressionTrouble(`'${name}' is a keyword`);
    if (this.#taken(['(']) !== undefined) return this.#call(name);
    this.#name = name;
    if (name === 'loop_var') return (run) => run.loop?.value;
    if (name === 'loop_index') return (run) => run.loop?.index;
    if (name === 'loop_vars') return this.#outerLoop();
    if (DYNAMIC.has(name)) return (run) => member(run.data.shared, name);
    return (run) => topLevel(run.data.layers, name);
  }

  /** `loop_vars.name`: where the nearest loop over an array of that name stands. */
  #outerLoop(): Expression {
    const named = this.#taken(['.']) !== undefined;
    if (!named && this.#taken(['[']) === undefined) throw new ExpressionTrouble('loop_vars needs the name of an array');
    const token = this.#tokens[this.#at++];
    if (token === undefined || token.kind !== (named ? 'name' : 'text'))
      throw new ExpressionTrouble('loop_vars needs the name of an array');
    if (!named) this.#expect(']');
    const wanted = token.text;
    this.#name = wanted;
    return (run) => {
      for (let loop = run.loop; loop !== undefined; loop = loop.outer) if (loop.name === wanted) return loop.value;
      return undefined;
    };
  }

  #call(name: string): Expression {
    this.#deeper();
    const from = this.#at;
    const argument = this.#taken([')']) === undefined ? this.#level(0) : undefined;
    if (argument !== undefined) this.#expect(')');
    this.#depth--;
    this.#name = undefined;
    if (name === 'render_dynamic_content') return this.#dynamicContent(from, argument);
    const called = macro(name, argument);
    if (typeof called === 'string') throw new ExpressionTrouble(called);
    return called;
  }

  /** @param from where its argument begins */
  #dynamicContent(from: number, argument: Expression | undefined): Expression {
    const first = this.#tokens[from];
    if (argument === undefined || first?.kind !== 'name' || !DYNAMIC.has(first.text))
      throw new ExpressionTrouble('render_dynamic_content renders dynamic_html, dynamic_plain or dynamic_amp_html');
    if (from !== 2 || this.#at !== this.#tokens.length)
      throw new ExpressionTrouble('render_dynamic_content stands alone between its braces');
    this.#dynamic = true;
    return argument;
  }

  #taken(wanted: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || (token.kind !== 'sign' && token.kind !== 'name')) return undefined;
    if (!wanted.includes(token.text)) return undefined;
    this.#at++;
    return token.text;
  }

  #expect(sign: string): void {
    if (this.#taken([sign]) === undefined) throw new ExpressionTrouble(`'${sign}' is missing`);
  }

  #deeper(): void {
    this.#depth++;
    if (this.#depth > DEEPEST_EXPRESSION)
      throw new ExpressionTrouble(`expressions are nested more than ${DEEPEST_EXPRESSION} deep`);
  }
}

const constant =
  (value: Value): Expression =>
  () =>
    value;

const inField =
  (of: Expression, name: string): Expression =>
  (run) =>
    member(of(run), name);

const inBrackets =
  (of: Expression, key: Expression): Expression =>
  (run) =>
    member(of(run), key(run));

function binary(operator: string, left: Expression, right: Expression): Expression {
  switch (operator) {
    case 'or':
      return (run) => {
        const value = left(run);
        return truth(value) ? value : right(run);
      };
    case 'and':
      return (run) => {
        const value = left(run);
        return truth(value) ? right(run) : value;
      };
    case '==':
      return (run) => equal(run, left(run), right(run));
    case '!=':
      return (run) => !equal(run, left(run), right(run));
    case '+':
    case '-':
    case '*':
    case '/':
      return (run) => arithmetic(run, operator, left(run), right(run));
    default:
      return (run) => relation(run, operator, left(run), right(run));
  }
}

const textOf = (token: Token): string => (token.kind === 'number' ? String(token.value) : token.text.slice(0, 20));
