import type { Disk, Slices } from '../../world/index.ts';
import { ConfigError, ConfigErrors, NotImplemented, type Notice } from '../errors.ts';
import { Compiler } from '../fallback/compile.ts';
import { CompiledGeneration } from '../fallback/compiled-generation.ts';
import { sameRaw } from '../fallback/view.ts';
import { localChangesTrouble } from '../files/local-changes.ts';
import type { SourceFile } from '../files/source-file.ts';
import type { PatternHost, Place } from '../option.ts';
import type { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { countChanges } from '../tree/count-changes.ts';
import { treeShape } from '../tree/print-json.ts';
import { headText, printTree, treeLines } from '../tree/print-tree.ts';
import { treeXml } from '../tree/print-xml.ts';
import { checkTree } from '../tree/references.ts';
import { share, sharing } from '../tree/share.ts';
import { type Assignment, type Stanza, stanzasOf } from '../tree/stanza.ts';
import type { Baseline } from '../writeback/trial.ts';
import { type Writeback, writeBack } from '../writeback/writeback.ts';
import type { CommitCheck, Configuration, Generation } from './generation.ts';
import { History, type Origin, type Past } from './history.ts';
import { type LoadOptions, type Parts, partsOf, planFor, slicesOn } from './parts.ts';
import { type Reading, readConfiguration } from './reading.ts';

/** What loading a configuration has found besides its values. */
export interface LoadedConfiguration extends Configuration {
  /** The main file. */
  readonly file: string;
  /** All files that were read, in reading order. */
  readonly files: readonly SourceFile[];
  /** What is accepted and changes nothing yet. */
  readonly notImplemented: readonly NotImplemented[];
  /** What the operator should read: warnings and what is not implemented, in the order of the files. */
  readonly notices: readonly Notice[];
}

/**
 * Reads, checks and compiles a configuration.
 *
 * @throws ConfigErrors with all that is wrong, or with the reason `not found`
 */
export async function loadConfiguration(options: LoadOptions): Promise<LiveConfiguration> {
  const parts = partsOf(options);
  const { reading } = await readConfiguration(planFor(parts, options.file));
  const live = new LiveConfiguration(parts, reading);
  await live.current.prepare(undefined, slicesOn(options.clock));
  return live;
}

/** Who made a generation, and how. */
export interface Made {
  readonly origin: Origin;
  readonly who: string;
}

/** The live configuration; made by `loadConfiguration` only. */
export class LiveConfiguration implements LoadedConfiguration {
  readonly schema: Schema;
  readonly disk: Disk;
  /** What an empty configuration has. */
  readonly implicit: Stanza;
  /** For the regular expressions that the console reads. */
  readonly patterns: PatternHost;
  readonly #parts: Parts;
  readonly #compiler: Compiler;
  #reading: Reading;
  #baseline: Baseline;
  #current: CompiledGeneration;
  readonly #commitHearers = new Set<(next: Generation, last: Generation) => void>();
  readonly #checks = new Set<CommitCheck>();
  readonly #history = new History();
  /** Where values of a console stand since they were written back. */
  readonly #saved = new WeakMap<Assignment, Place>();
  /** Commits wait for each other: a check may take its time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, reading: Reading) {
    const { options, schema } = parts;
    this.#parts = parts;
    this.disk = options.disk;
    this.schema = schema;
    this.implicit = parts.implicit;
    this.patterns = parts.patterns;
    this.#reading = reading;
    this.#baseline = baselineOf(reading);
    this.#compiler = new Compiler(schema.declared, reading.tree);
    this.#current = new CompiledGeneration(reading.tree, 1, options.clock.date(), this.#compiler);
    const { number, date, tree } = this.#current;
    const origin: Origin = { kind: 'start', file: reading.file };
    this.#history.add({ number, date, tree, origin, who: '', differences: 0 }, 0);
  }

  get current(): CompiledGeneration {
    return this.#current;
  }

  get file(): string {
    return this.#reading.file;
  }

  get files(): readonly SourceFile[] {
    return this.#reading.files;
  }

  get notImplemented(): readonly NotImplemented[] {
    return this.#reading.notices.filter((notice) => notice instanceof NotImplemented);
  }

  get notices(): readonly Notice[] {
    return this.#reading.notices;
  }

  /** The generations of this run that are kept, oldest first; the last is live. */
  get history(): readonly Past[] {
    return this.#history.all;
  }

  /** A generation of this run, as long as it is kept. */
  past(number: number): Past | undefined {
    return this.#history.find(number);
  }

  /** The stanza of a type at the top level that holds for an instance, in file syntax: the literal one, else the first regex that matches. */
  stanzaText(type: string, instance: string): string | undefined {
    const ofType = this.#current.tree.children.get(type);
    const stanza =
      ofType?.get(instance) ?? [...(ofType?.values() ?? [])].find((each) => each.pattern?.test(instance) === true);
    if (stanza === undefined) return undefined;
    const lines: string[] = [];
    treeLines(stanza, '\t', lines);
    return [`${headText(stanza)} {`, ...lines, '}', ''].join('\n');
  }

  /** The whole live configuration, flattened: `text` can be read as a file again. */
  printed(form: 'text' | 'json' | 'xml'): string {
    const { tree } = this.#current;
    switch (form) {
      case 'text':
        return printTree(tree);
      case 'json':
        return `${JSON.stringify(treeShape(tree), undefined, 2)}\n`;
      case 'xml':
        return treeXml(tree);
    }
  }

  onCommit(hear: (next: Generation, last: Generation) => void): Disposable {
    this.#commitHearers.add(hear);
    return { [Symbol.dispose]: () => void this.#commitHearers.delete(hear) };
  }

  /** What regular expressions have to say while the server runs: sentences for the operator, about once a minute each. */
  onPatternTrouble(hear: (text: string) => void): Disposable {
    this.#parts.told.add(hear);
    return { [Symbol.dispose]: () => void this.#parts.told.delete(hear) };
  }

  beforeCommit(check: CommitCheck): Disposable {
    this.#checks.add(check);
    return { [Symbol.dispose]: () => void this.#checks.delete(check) };
  }

  reload(file?: string, who = ''): Promise<Generation> {
    return this.#inTurn(async () => {
      const slices = this.#slices();
      const found = await this.inspect(file);
      const reading = { ...found, tree: await slices.finish(sharing(this.#current.tree, found.tree)) };
      const made: Made = { origin: { kind: 'reload', file: reading.file }, who };
      const next = await this.#swap(reading.tree, made, slices);
      this.#reading = reading;
      this.#baseline = baselineOf(reading);
      return next;
    });
  }

  /**
   * Reads what a reload would read, and changes nothing.
   *
   * @param file without one, the main file as at the start: another one that was loaded once is not asked again
   * @throws ConfigErrors
   */
  async inspect(file?: string): Promise<Reading> {
    const wanted = planFor(this.#parts, file ?? this.#parts.options.file);
    return (await readConfiguration(wanted)).reading;
  }

  /**
   * Makes a tree live.
   *
   * @param from the number of the generation that the tree was made from
   * @returns undefined when another generation is live by now
   * @throws ConfigErrors when something is wrong with the tree or it was vetoed
   */
  commit(tree: Stanza, from: number, made: Made): Promise<Generation | undefined> {
    return this.#inTurn(async () => {
      if (this.#current.number !== from) return undefined;
      const slices = this.#slices();
      await this.check(tree);
      return this.#swap(tree, made, slices);
    });
  }

  /** @throws ConfigErrors when a tree may not become live as it is */
  async check(tree: Stanza): Promise<void> {
    const errors: ConfigError[] = [];
    await checkTree(tree, { errors, notices: [] }, this.#slices());
    const { wrong, closed } = await localChangesTrouble(tree, this.file, (path) => this.#isIncluded(path), this.disk);
    for (const error of [wrong, closed]) if (error) errors.push(error);
    if (errors.length > 0) throw new ConfigErrors(errors);
  }

  /**
   * Puts what was changed online into the files.
   *
   * @throws ConfigErrors when that cannot be done at all; then nothing was written
   */
  writeback(): Promise<Writeback> {
    return this.#inTurn(async () => {
      const { documents } = this.#reading;
      const plan = { ...planFor(this.#parts, this.file), documents, file: this.file };
      const done = await writeBack({ disk: this.disk, baseline: this.#baseline, live: this.#current.tree, plan });
      this.#baseline = done.baseline;
      for (const [assignment, place] of done.places) this.#saved.set(assignment, place);
      this.#reading = { ...this.#reading, files: done.files ?? this.#reading.files };
      return done;
    });
  }

  /** Where a value stands: in a file, also when it came from a console and was written back. */
  placeOf(assignment: Assignment): Place {
    return this.#saved.get(assignment) ?? assignment.at;
  }

  /** A tree of an open transaction made ready for questions; nobody else sees it. */
  tentative(tree: Stanza): CompiledGeneration {
    return tree === this.#current.tree
      ? this.#current
      : new CompiledGeneration(tree, this.#current.number, this.#current.date, this.#compiler);
  }

  /** The generation that a tree would become if it were committed now, for comparisons. */
  proposed(tree: Stanza): CompiledGeneration {
    const { number, date, tree: live } = this.#current;
    return new CompiledGeneration(share(live, tree), number + 1, date, this.#compiler);
  }

  /** Names of options whose values in `tree` differ from those in use until the next start. */
  async pending(tree: Stanza): Promise<readonly string[]> {
    const names = new Set<string>();
    const fixed = this.schema.declared.filter((option) => !option.dynamic);
    if (fixed.length === 0) return [];
    await this.#slices().each(stanzasOf(tree), (stanza) => {
      if (!this.#compiler.keepsStart(stanza)) return;
      const used = new Map(this.#compiler.compile(stanza).cells.map((cell) => [cell.slot, cell.raw]));
      for (const option of fixed)
        if (!sameRaw(used.get(option.slot), stanza.options.get(option.name)?.value)) names.add(option.name);
    });
    return [...names];
  }

  #isIncluded(path: string): boolean {
    return this.files.some((file) => file.path === path && file.role !== 'local changes');
  }

  #slices(): Slices {
    return slicesOn(this.#parts.options.clock);
  }

  async #swap(tree: Stanza, made: Made, slices: Slices): Promise<Generation> {
    const last = this.#current;
    const { clock } = this.#parts.options;
    const next = new CompiledGeneration(tree, last.number + 1, clock.date(), this.#compiler);
    await next.prepare(last, slices);
    const changes = await slices.finish(countChanges(last.tree, tree));
    const undo: (() => void)[] = [];
    for (const check of this.#checks) {
      try {
        const back = await check(next, last);
        if (back !== undefined) undo.push(back);
      } catch (error) {
        for (const back of undo.reverse()) back();
        if (error instanceof ConfigErrors) throw error;
        const text = error instanceof Error ? error.message : String(error);
        throw new ConfigErrors([error instanceof ConfigError ? error : new ConfigError(text, { cause: error })]);
      }
    }
    this.#current = next;
    const { number, date } = next;
    this.#history.add({ ...made, number, date, tree, differences: changes.settings }, changes.stanzas);
    for (const hear of this.#commitHearers) hear(next, last);
    return next;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    // Whether the one before has failed is for its own caller to know.
    const result = this.#turn.then(run, run);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** `"X" cannot be changed at run time; restart to apply` */
export function restartText(name: string): string {
  return `"${spelling(name)}" cannot be changed at run time; restart to apply`;
}

function baselineOf({ tree, files }: Reading): Baseline {
  return { tree, hashes: new Map(files.map(({ path, hash }) => [path, hash])) };
}
