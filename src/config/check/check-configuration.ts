import { type ConfigError, ConfigErrors, NotImplemented, Notice } from '../errors.ts';
import { SourceReader } from '../files/sources.ts';
import { lint } from '../lint/lint.ts';
import type { Generation } from '../live/generation.ts';
import { inOrder } from '../live/in-order.ts';
import { LiveConfiguration } from '../live/live-configuration.ts';
import { type LoadOptions, partsOf, planFor } from '../live/parts.ts';
import { mainFile, readConfiguration } from '../live/reading.ts';
import type { Place } from '../option.ts';
import { checkReadFiles } from './read-files.ts';

export interface CheckOptions extends LoadOptions {
  /** The grammar alone: any names, any values. */
  readonly syntaxOnly?: boolean;
  /** What is legal, and most likely not what was meant. */
  readonly pedantic?: boolean;
  /** Rooms above that know what their options mean together: what they say stops nothing. */
  readonly judges?: readonly Judge[];
  /** What a start would try with files before it begins, as certificates. Each throws ConfigErrors. */
  readonly trials?: readonly ((generation: Generation) => Promise<void>)[];
  /** Whether the files that options name for reading are looked at. */
  readonly files?: boolean;
}

/** @returns what an operator should know about a configuration that is valid */
export type Judge = (generation: Generation) => readonly { readonly place: Place; readonly text: string }[];

/** All that a check has found, each in the order of the files. */
export interface CheckResult {
  /** `none`: there is no configuration. */
  readonly outcome: 'valid' | 'invalid' | 'none';
  readonly errors: readonly ConfigError[];
  /** All that stops nothing: warnings, and what is not implemented. */
  readonly notices: readonly Notice[];
  readonly warnings: readonly Notice[];
  readonly notImplemented: readonly NotImplemented[];
  /** What was loaded, if it was. */
  readonly configuration: LiveConfiguration | undefined;
}

/** Reads a configuration as the server would, changes nothing, and says everything about it. */
export async function checkConfiguration(options: CheckOptions): Promise<CheckResult> {
  try {
    return options.syntaxOnly === true ? await syntax(options) : await whole(options);
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    return {
      outcome: error.reason === 'not found' ? 'none' : 'invalid',
      errors: error.errors,
      ...sorted(error.notices),
      configuration: undefined,
    };
  }
}

async function syntax(options: CheckOptions): Promise<CheckResult> {
  const errors: ConfigError[] = [];
  const notices: Notice[] = [];
  const plan = { ...planFor(partsOf(options), options.file), looksOnly: true };
  const reader = new SourceReader(plan, errors, notices);
  await reader.main(await mainFile(plan));
  const files = await reader.files();
  return {
    outcome: errors.length === 0 ? 'valid' : 'invalid',
    errors: await inOrder(errors, files, (error) => error.checkLine, plan.slices),
    ...sorted(await inOrder(notices, files, (notice) => notice.line, plan.slices)),
    configuration: undefined,
  };
}

async function whole(options: CheckOptions): Promise<CheckResult> {
  const parts = partsOf(options);
  const plan = { ...planFor(parts, options.file), looksOnly: true };
  const { reading, sources } = await readConfiguration(plan, async (tree, errors) => {
    if (options.files !== false) await checkReadFiles(options.disk, tree, options.searchPath, errors);
  });
  const configuration = new LiveConfiguration(parts, reading);
  if (options.files !== false) for (const trial of options.trials ?? []) await trial(configuration.current);
  const more =
    options.pedantic === true ? lint({ generation: configuration.current, schema: parts.schema, sources }) : [];
  const judged = (options.judges ?? []).flatMap((judge) =>
    judge(configuration.current).map(({ place, text }) => new Notice('warning', place, text)),
  );
  const all = [...reading.notices, ...judged, ...more];
  const notices = await inOrder(all, reading.files, (notice) => notice.line, plan.slices);
  return { outcome: 'valid', errors: [], ...sorted(notices), configuration };
}

function sorted(notices: readonly Notice[]): Pick<CheckResult, 'notices' | 'warnings' | 'notImplemented'> {
  return {
    notices,
    warnings: notices.filter((notice) => notice.kind === 'warning'),
    notImplemented: notices.filter((notice) => notice instanceof NotImplemented),
  };
}
