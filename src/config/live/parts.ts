import { type Clock, type Disk, Slices } from '../../world/index.ts';
import type { RemoteIncludes } from '../files/remote.ts';
import type { Option, PatternHost } from '../option.ts';
import { configSchema, type Schema } from '../schema/schema.ts';
import { implicitTree } from '../tree/implicit.ts';
import type { Stanza } from '../tree/stanza.ts';
import type { ReadingPlan } from './reading.ts';

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
  /** Allows included files of the web: `--allow-remote-includes`. */
  readonly remoteIncludes?: RemoteIncludes | undefined;
  /** For programs that only look: what this process may not write is a warning, and no copies are made. */
  readonly looksOnly?: boolean;
}

/** What every reading of the files needs. */
export interface Parts {
  readonly options: LoadOptions;
  readonly schema: Schema;
  /** What an empty configuration has. */
  readonly implicit: Stanza;
  /** Who hears what patterns say at run time. */
  readonly told: Set<(text: string) => void>;
  readonly patterns: PatternHost;
}

export function partsOf(options: LoadOptions): Parts {
  const schema = configSchema(options.declared, options.modules);
  const told = new Set<(text: string) => void>();
  const { clock } = options;
  const patterns: PatternHost = {
    now: () => clock.now?.() ?? clock.date(),
    tell: (text) => {
      for (const hear of told) hear(text);
    },
  };
  return { options, schema, implicit: implicitTree(schema), told, patterns };
}

export function slicesOn(clock: LoadOptions['clock']): Slices {
  return new Slices(isWhole(clock) ? clock : undefined);
}

function isWhole(clock: LoadOptions['clock']): clock is Pick<Clock, 'date' | 'now' | 'defer'> {
  return clock.now !== undefined && clock.defer !== undefined;
}

/** What a reading needs, of a main file or of the one that is looked for. */
export function planFor({ options, schema, implicit, patterns }: Parts, file: string | undefined): ReadingPlan {
  return {
    schema,
    implicit,
    patterns,
    file,
    disk: options.disk,
    copiesDisk: options.disk,
    directories: options.searchPath,
    remote: options.remoteIncludes,
    looksOnly: options.looksOnly ?? false,
    slices: slicesOn(options.clock),
  };
}
