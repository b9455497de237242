import { bindingName, cidrText, parseCidr } from '../../base/index.ts';
import { ConfigError } from '../errors.ts';
import { fallsToGlobal, type Query } from '../fallback/chain.ts';
import type { CompiledGeneration } from '../fallback/compiled-generation.ts';
import { type Level, type Levels, levelsOf } from '../fallback/levels.ts';
import { type PatternHost, ValueError } from '../option.ts';
import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { Lexer, type TokenKind } from '../text/lexer.ts';
import { pathText } from '../tree/diff.ts';
import { canonicalInstance } from '../tree/instance.ts';
import { type Assignment, follow, type Stanza, type Step } from '../tree/stanza.ts';

/** A word of a console command, and where it begins in the line. */
export interface Word {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

/** Splits by the rules of the file. @throws ConfigError for a quote that is not closed */
export function wordsOf(line: string): readonly Word[] {
  const lexer = new Lexer(line, CONSOLE, (text, place, near) => {
    throw new ConfigError(text, { place, near });
  });
  const words: Word[] = [];
  while (lexer.next(false) !== 'end') words.push({ kind: lexer.kind, text: lexer.value, offset: lexer.offset });
  return words;
}

/** The `file` of what was typed. */
export const CONSOLE = '(console)';

/** A scope argument: types and instances, as far as they are such. */
export interface CommandPath {
  readonly steps: readonly Step[];
  /** Type of the scope that is reached. */
  readonly scope: string;
  /** The path as typed; empty for Global. */
  readonly text: string;
  /** Index of the first word behind it. */
  readonly next: number;
}

/** @throws ConfigError for an instance that cannot be one */
export function readPath(
  schema: Schema,
  tree: Stanza,
  words: readonly Word[],
  from: number,
  host?: PatternHost,
): CommandPath {
  const steps: Step[] = [];
  let scope = 'global';
  let at = from;
  for (;;) {
    const type = words[at]?.text.toLowerCase();
    const row = type === undefined || !isText(words[at]) ? undefined : schema.scope(scope, type);
    if (type === undefined || !row) break;
    const step = readStep(schema, tree, steps, type, row.instance, words[at + 1], host);
    steps.push(step.step);
    at += step.words;
    scope = type;
  }
  return {
    steps,
    scope,
    text: words
      .slice(from, at)
      .map((word) => word.text)
      .join(' '),
    next: at,
  };
}

function readStep(
  schema: Schema,
  tree: Stanza,
  before: readonly Step[],
  type: string,
  rule: string,
  name: Word | undefined,
  host: PatternHost | undefined,
): { readonly step: Step; readonly words: number } {
  if (rule === 'none') return { step: { type, instance: '', written: undefined, pattern: undefined }, words: 1 };
  const own: Step = { type, instance: type, written: type, pattern: undefined };
  if (!isText(name)) {
    if (rule === 'optional') return { step: own, words: 1 };
    throw new ConfigError(`${spelling(type)} needs a name`);
  }
  const word = name.text.toLowerCase();
  // `ec_logger mainlog` leaves the name out, unless somebody has named a logger so.
  if (
    rule === 'optional' &&
    (schema.option(type, word) || schema.scope(type, word)) &&
    !follow(tree, [...before, { ...own, instance: name.text }])
  )
    return { step: own, words: 1 };
  try {
    const instance = canonicalInstance(type, name.text, undefined, host);
    const known = follow(tree, [...before, { type, instance: instance.name, written: undefined, pattern: undefined }]);
    return {
      step: { type, instance: instance.name, written: known?.written ?? name.text, pattern: instance.pattern },
      words: 2,
    };
  } catch (error) {
    if (error instanceof ValueError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

export function isText(word: Word | undefined): word is Word {
  return word !== undefined && (word.kind === 'word' || word.kind === 'text');
}

/** What `config eval` finds. */
export interface Evaluated extends Levels {
  /** Undefined: the built-in default. */
  readonly assigned: Assignment | undefined;
  /** The stanza that sets it; undefined for Global and the built-in default. */
  readonly level: Level | undefined;
  readonly query: Query;
}

/** The value at a path, with fallback. Addresses and names are matched; stanzas need not exist. */
export function evaluate(generation: CompiledGeneration, steps: readonly Step[], name: string): Evaluated {
  const query = queryOf(generation, steps);
  const asked = levelsOf(generation.root, query);
  const levels = narrowed(asked.levels, generation, steps);
  const level = levels.find(({ stanza }) => stanza?.options.has(name));
  const assigned =
    level?.stanza?.options.get(name) ?? (fallsToGlobal(query) ? generation.tree.options.get(name) : undefined);
  return { assigned, level, query, levels, pathway: asked.pathway };
}

function narrowed(levels: readonly Level[], generation: CompiledGeneration, steps: readonly Step[]): readonly Level[] {
  const last = steps.at(-1);
  if (last?.type === 'peer') {
    // A whole block is asked about: blocks inside it do not hold for all of it.
    const prefix = parseCidr(last.instance)?.prefix ?? 0;
    return levels.filter(
      ({ stanza }) => stanza?.type !== 'peer' || (parseCidr(stanza.instance)?.prefix ?? 0) <= prefix,
    );
  }
  if ((last?.type === 'domain' || last?.type === 'host') && last.pattern) {
    // The stanza of a regex is asked by its text; which others hold depends on the name, and none is given.
    const stanza = follow(generation.tree, steps);
    return [
      { rank: 1, where: pathText(stanza ? [...steps.slice(0, -1), stanza] : steps), type: last.type, stanza },
      ...levels,
    ];
  }
  return levels;
}

function queryOf(generation: CompiledGeneration, steps: readonly Step[]): Query {
  const named = new Map(steps.map((step) => [step.type, step]));
  const [first] = steps;
  const last = steps.at(-1);
  if (!first || !last) return { kind: 'global' };
  const group = named.get('binding_group')?.instance;
  const binding = named.get('binding')?.instance ?? (group === undefined ? 'default' : '');
  const groupName = group ?? generation.groupOf(bindingName(binding));
  switch (last.type) {
    case 'domain':
    case 'binding':
    case 'binding_group':
      return {
        kind: 'sending',
        group: groupName,
        binding,
        domain: last.type === 'domain' && !last.pattern ? last.instance : undefined,
      };
    case 'host':
      return { kind: 'host', group: groupName, binding, host: last.pattern ? '' : last.instance };
    case 'pathway':
      return { kind: 'pathway', group: named.get('pathway_group')?.instance, pathway: last.instance };
    case 'pathway_group':
      return { kind: 'pathway', group: last.instance, pathway: '' };
    default:
      if (first.type.endsWith('_listener')) {
        const cidr = last.type === 'peer' ? parseCidr(last.instance) : undefined;
        const client = cidr && cidrText(cidr).replace(/\/[0-9]+$/, '');
        return {
          kind: 'receiving',
          listener: first.type,
          endpoint: named.get('listen')?.instance,
          client,
          pathway: undefined,
        };
      }
      return { kind: 'stanza', path: steps };
  }
}
