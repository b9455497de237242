import { type PatternHost, type Place, ValueError } from '../option.ts';
import { CharacterSets } from './character-set.ts';
import { Matcher, MOST_WORK } from './matcher.ts';
import { MOST_STEPS, programOf } from './matcher-program.ts';
import { Patience } from './patience.ts';
import { readPattern } from './pattern-reader.ts';
import { scriptOf } from './pattern-script.ts';
import { capturesInLoop, emptyTurns, nestedAlone, type PatternTree, some, written } from './pattern-tree.ts';
import { mostWork } from './pattern-work.ts';

/**
 * A regular expression that an operator wrote: PCRE, searched. It cannot hang the server. Texts that are short enough for
 * what the pattern could at most ask of V8's engine go there; others to our own `Matcher`, which is slower and whose work
 * is bounded. A search that even so takes too long finds nothing, as PCRE's match limit has it.
 */
export interface Pattern {
  /** As written, without delimiters. */
  readonly source: string;
  /** Every name of a domain, whatever it is made of, is matched within a millisecond or two by V8's engine. */
  readonly harmless: boolean;
  /** Some name of a domain may be given up. */
  readonly unbounded: boolean;
  /** Finds out beforehand what the first search would have to: a tenth of a millisecond. */
  judge(): void;
  test(text: string): boolean;
  exec(text: string): PatternMatch | undefined;
}

export interface PatternMatch {
  /** UTF-16 units before it. */
  readonly index: number;
  /** The whole match, then its groups; undefined for one that took no part. */
  readonly groups: readonly (string | undefined)[];
}

export interface PatternOptions {
  readonly ignoreCase?: boolean;
  /** Where it stands, for who reads that it gave up. */
  readonly place?: Place | undefined;
  /** Without one nobody is told, and a pattern that gives up is tried again and again. */
  readonly host?: PatternHost | undefined;
}

/**
 * @param pattern without delimiters
 * @throws ValueError that names what is wrong or cannot be served
 * @see pcrepattern(3); docs/regex.md
 */
export function compilePattern(pattern: string, options: PatternOptions = {}): Pattern {
  const tree = readPattern(pattern, options.ignoreCase ?? false);
  if (written(tree.root) > MOST_STEPS)
    throw new ValueError(`a regular expression of at most ${MOST_STEPS} parts, its repetitions written out`);
  if (some(tree.root, (node) => node.kind === 'reference' || (node.kind === 'atomic' && emptyTurns(node))))
    return new CompiledPattern(pattern, tree, undefined, options);
  const { source, flags, numbers } = scriptOf(tree);
  try {
    return new CompiledPattern(pattern, tree, { regex: new RegExp(source, flags), numbers }, options);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /, '') : String(error);
    throw new ValueError(`a regular expression (${why})`, { cause: error });
  }
}

/** The longest name of a domain, with room to spare. */
const NAME = 256;
/** Steps of V8's engine: one to four milliseconds, and that only for a text that was made for it. */
const MOST_DIRECT = 2_000_000;
const LENGTHS = [65_536, 16_384, 4096, 1024, NAME, 64];

interface Direct {
  readonly regex: RegExp;
  readonly numbers: ReadonlyMap<number, number>;
}

class CompiledPattern implements Pattern {
  readonly source: string;
  readonly #tree: PatternTree;
  readonly #direct: Direct | undefined;
  readonly #patience: Patience;
  /** Judged when first asked: of a hundred thousand patterns only those with mail are. */
  #longest: number | undefined;
  #groupsAgree: boolean | undefined;
  #matcher: Matcher | undefined;

  constructor(source: string, tree: PatternTree, direct: Direct | undefined, options: PatternOptions) {
    this.source = source;
    this.#tree = tree;
    this.#direct = direct;
    this.#patience = new Patience(source, options.place, options.host);
  }

  get harmless(): boolean {
    return this.#longestDirect() >= NAME;
  }

  get unbounded(): boolean {
    const { root } = this.#tree;
    // The matcher looks at each pair of step and place once, and again for each place inside what is matched alone.
    if (this.#direct && written(root) * NAME ** (1 + nestedAlone(root)) <= MOST_WORK) return false;
    return !this.harmless && (this.#direct !== undefined || this.#work(NAME) > MOST_WORK);
  }

  judge(): void {
    this.#longestDirect();
  }

  test(text: string): boolean {
    if (this.#direct && text.length <= this.#longestDirect()) return this.#direct.regex.test(text);
    return this.#search(text) !== undefined;
  }

  exec(text: string): PatternMatch | undefined {
    this.#groupsAgree ??= !capturesInLoop(this.#tree.root) && !emptyTurns(this.#tree.root);
    if (!this.#direct || !this.#groupsAgree || text.length > this.#longestDirect()) return this.#search(text);
    const found = this.#direct.regex.exec(text);
    if (!found) return undefined;
    const { numbers } = this.#direct;
    const { groups } = this.#tree;
    return {
      index: found.index,
      groups: Array.from({ length: groups + 1 }, (_, group) => found[group === 0 ? 0 : (numbers.get(group) ?? -1)]),
    };
  }

  #search(text: string): PatternMatch | undefined {
    if (this.#patience.lost) return undefined;
    this.#matcher ??= new Matcher(programOf(this.#tree, new CharacterSets(this.#tree.ignoreCase)));
    const outcome = this.#matcher.search(text);
    if (outcome.kind === 'found') return outcome;
    if (outcome.kind === 'gave up') this.#patience.lose(text.length);
    return undefined;
  }

  #longestDirect(): number {
    this.#longest ??= this.#direct ? (LENGTHS.find((length) => this.#work(length) <= MOST_DIRECT) ?? 0) : 0;
    return this.#longest;
  }

  #work(length: number): number {
    return mostWork(this.#tree, new CharacterSets(this.#tree.ignoreCase), length);
  }
}

/** @returns the patterns of an option's value that may give up */
export function unboundedIn(value: unknown): readonly Pattern[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((each): each is Pattern => each instanceof CompiledPattern && each.unbounded);
}

export function unboundedText(pattern: Pattern): string {
  return `the time of the regular expression /${pattern.source}/ cannot be bounded: with some texts it will give up, which counts as no match`;
}
