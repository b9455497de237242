import { type Clock, type Disk, Slices } from '../../world/index.ts';
import { ConfigError, ConfigErrors, NotImplemented, type Notice } from '../errors.ts';
import { Compiler } from '../fallback/compile.ts';
import { CompiledGeneration } from '../fallback/compiled-generation.ts';
import { sameRaw } from '../fallback/view.ts';
import { findMainFile, readSources, type SourceFile } from '../files/sources.ts';
import type { Option, PatternHost } from '../option.ts';
import { configOptions } from '../schema/config-options.ts';
import { Schema } from '../schema/schema.ts';
import { spelling } from '../schema/spelling.ts';
import { implicitTree } from '../tree/implicit.ts';
import { Merging } from '../tree/merge.ts';
import { headText, treeLines } from '../tree/print-tree.ts';
import { checkTree } from '../tree/references.ts';
import { type Stanza, stanzasOf } from '../tree/stanza.ts';
import type { CommitCheck, Configuration, Generation } from './generation.ts';
import { inOrder } from './in-order.ts';

export interface LoadOptions {
  readonly disk: Disk;
  /** Without `now` and `defer` nothing else is going on: everything is read in one go, and patterns have no memory. */
  readonly clock: Pick<Clock, 'date'> & Partial<Pick<Clock, 'now' | 'defer'>>;
  /** The main file; without one it is looked for on the search path, again at each reload. */
  readonly file?: string | undefined;
  /** As `searchPath()` gives it: where the main file and included files are looked for. */
  readonly searchPath: readonly string[];
  /** Every option that the rooms and modules of this program read. */
  readonly declared: readonly Option<unknown>[];
  /** Names of stanzas that something serves beyond the core scopes: modules, `security`, `threadpool` … */
  readonly modules: readonly string[];
}

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
  const schema = new Schema([...configOptions, ...options.declared], options.modules);
  const implicit = implicitTree(schema);
  const told = new Set<(text: string) => void>();
  const { clock } = options;
  const parts: Parts = {
    options,
    schema,
    implicit,
    told,
    patterns: {
      now: () => clock.now?.() ?? clock.date(),
      tell: (text) => {
        for (const hear of told) hear(text);
      },
    },
  };
  const live = new LiveConfiguration(parts, await read(parts, options.file, slicesOn(clock)));
  await live.current.prepare(undefined, slicesOn(clock));
  return live;
}

function slicesOn(clock: LoadOptions['clock']): Slices {
  return new Slices(isWhole(clock) ? clock : undefined);
}

function isWhole(clock: LoadOptions['clock']): clock is Pick<Clock, 'date' | 'now' | 'defer'> {
  return clock.now !== undefined && clock.defer !== undefined;
}

/** What every reading of the files needs. */
interface Parts {
  readonly options: LoadOptions;
  readonly schema: Schema;
  /** What an empty configuration has. */
  readonly implicit: Stanza;
  /** Who hears what patterns say at run time. */
  readonly told: Set<(text: string) => void>;
  readonly patterns: PatternHost;
}

/** What a reading of the files gives. */
interface Reading {
  readonly file: string;
  readonly files: readonly SourceFile[];
  readonly tree: Stanza;
  readonly notices: readonly Notice[];
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
  #file: string | undefined;
  #current: CompiledGeneration;
  readonly #commitHearers = new Set<(next: Generation, last: Generation) => void>();
  readonly #checks = new Set<CommitCheck>();
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
    this.#file = options.file;
    this.#compiler = new Compiler(schema.declared, reading.tree);
    this.#current = new CompiledGeneration(reading.tree, 1, options.clock.date(), this.#compiler);
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

  reload(file?: string): Promise<Generation> {
    return this.#inTurn(async () => {
      const wanted = file ?? this.#file;
      const slices = this.#slices();
      const reading = await read(this.#parts, wanted, slices);
      const next = await this.#swap(reading.tree, slices);
      this.#reading = reading;
      this.#file = wanted;
      return next;
    });
  }

  /**
   * Makes a tree live.
   *
   * @param from the number of the generation that the tree was made from
   * @returns undefined when another generation is live by now
   * @throws ConfigErrors when something is wrong with the tree or it was vetoed
   */
  commit(tree: Stanza, from: number): Promise<Generation | undefined> {
    return this.#inTurn(async () => {
      if (this.#current.number !== from) return undefined;
      const errors: ConfigError[] = [];
      const slices = this.#slices();
      await checkTree(tree, { errors, notices: [] }, slices);
      if (errors.length > 0) throw new ConfigErrors(errors);
      return this.#swap(tree, slices);
    });
  }

  /** A tree of an open transaction made ready for questions; nobody else sees it. */
  tentative(tree: Stanza): CompiledGeneration {
    return tree === this.#current.tree
      ? this.#current
      : new CompiledGeneration(tree, this.#current.number, this.#current.date, this.#compiler);
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

  #slices(): Slices {
    return slicesOn(this.#parts.options.clock);
  }

  async #swap(tree: Stanza, slices: Slices): Promise<Generation> {
    const last = this.#current;
    const { clock } = this.#parts.options;
    const next = new CompiledGeneration(tree, last.number + 1, clock.date(), this.#compiler);
    await next.prepare(last, slices);
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

/** `Warning: "X" cannot be changed at run time; restart to apply.` */
export function restartWarning(name: string): string {
  return `Warning: "${spelling(name)}" cannot be changed at run time; restart to apply.`;
}

async function read(parts: Parts, file: string | undefined, slices: Slices): Promise<Reading> {
  const { options, schema, implicit, patterns } = parts;
  const main = file ?? (await findMainFile(options.disk, options.searchPath));
  if (main === undefined) {
    throw new ConfigErrors(
      [new ConfigError(`no impetus.conf or ecelerity.conf in ${options.searchPath.join(', ')}`)],
      'not found',
    );
  }
  const errors: ConfigError[] = [];
  const notices: Notice[] = [];
  const findings = { errors, notices };
  const { items, included, files } = await readSources(options.disk, main, options.searchPath, errors, notices, slices);
  const merging = new Merging({ base: implicit, items, included, schema, findings, host: patterns });
  await slices.run(() => merging.step());
  // References to stanzas that were left out for their errors would be errors for nothing.
  if (errors.length === 0) await checkTree(merging.root, findings, slices);
  if (errors.length > 0) throw new ConfigErrors(await inOrder(errors, files, (error) => error.checkLine, slices));
  return {
    file: main,
    files,
    tree: merging.root,
    notices: await inOrder(notices, files, (notice) => notice.line, slices),
  };
}
