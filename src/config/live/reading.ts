import { normalize } from 'node:path';
import { ConfigError, ConfigErrors, Notice } from '../errors.ts';
import { localChangesPath, localChangesTrouble } from '../files/local-changes.ts';
import type { SourceFile } from '../files/source-file.ts';
import { findMainFile, SourceReader, type Sources, type SourceWorld } from '../files/sources.ts';
import type { PatternHost, Place } from '../option.ts';
import { localChangesFile } from '../schema/config-options.ts';
import type { Schema } from '../schema/schema.ts';
import { Merging } from '../tree/merge.ts';
import { checkTree } from '../tree/references.ts';
import type { Stanza } from '../tree/stanza.ts';
import { inOrder } from './in-order.ts';

/** What a reading of the files gives. */
export interface Reading {
  readonly file: string;
  readonly files: readonly SourceFile[];
  readonly tree: Stanza;
  readonly notices: readonly Notice[];
  readonly documents: Sources['documents'];
}

/** All that a reading needs. */
export interface ReadingPlan extends SourceWorld {
  readonly schema: Schema;
  readonly implicit: Stanza;
  /** The main file; without one it is looked for. */
  readonly file: string | undefined;
  /** A file of local changes that counts instead of the one that the files name. */
  readonly localChanges?: string | undefined;
  /** For the regular expressions among the values. */
  readonly patterns?: PatternHost | undefined;
}

/**
 * Reads, merges and checks all files.
 *
 * @param also called before errors are thrown, so that all of them are told at once
 * @throws ConfigErrors with all that is wrong, or with the reason `not found`
 */
export async function readConfiguration(
  plan: ReadingPlan,
  also?: ReadCheck,
): Promise<{ readonly reading: Reading; readonly sources: Sources }> {
  const main = await mainFile(plan);
  const errors: ConfigError[] = [];
  const notices: Notice[] = [];
  const reader = new SourceReader(plan, errors, notices);
  const sources = await reader.main(main);
  const tree = await withLocalChanges(plan, main, reader, sources, errors, notices);
  // References to stanzas that were left out for their errors would be errors for nothing.
  if (errors.length === 0) await checkTree(tree, { errors, notices }, plan.slices);
  await also?.(tree, errors);
  const files = await reader.files();
  const toldSoFar = await inOrder(notices, files, (notice) => notice.line, plan.slices);
  if (errors.length > 0)
    throw new ConfigErrors(await inOrder(errors, files, (error) => error.checkLine, plan.slices), 'invalid', toldSoFar);
  await reader.keepCopies();
  const told = await inOrder(notices, files, (notice) => notice.line, plan.slices);
  return { reading: { file: main, files, tree, notices: told, documents: sources.documents }, sources };
}

/** Looks at what was read, whether or not it is right, and adds the errors that it finds. */
export type ReadCheck = (tree: Stanza, errors: ConfigError[]) => Promise<void>;

/** @throws ConfigErrors with the reason `not found` */
export async function mainFile(plan: Pick<ReadingPlan, 'disk' | 'directories' | 'file'>): Promise<string> {
  const found = plan.file ?? (await findMainFile(plan.disk, plan.directories));
  if (found !== undefined) return normalize(found);
  throw new ConfigErrors(
    [new ConfigError(`no impetus.conf or ecelerity.conf in ${plan.directories.join(', ')}`)],
    'not found',
  );
}

async function withLocalChanges(
  plan: ReadingPlan,
  main: string,
  reader: SourceReader,
  sources: Sources,
  errors: ConfigError[],
  notices: Notice[],
): Promise<Stanza> {
  const findings = { errors, notices };
  const tree = await merged(plan, plan.implicit, sources.items, sources, findings);
  const named = localChangesPath(tree, main);
  const path = plan.localChanges ?? named;
  if (plan.localChanges === undefined) {
    const { wrong, closed } = await localChangesTrouble(tree, main, (each) => sources.parsed.has(each), plan.disk);
    if (closed?.place && plan.looksOnly) notices.push(new Notice('warning', closed.place, closed.message));
    else if (closed) errors.push(closed);
    if (wrong) {
      errors.push(wrong);
      return tree;
    }
  }
  if (path === undefined) return tree;
  const at: Place = tree.options.get(localChangesFile.name)?.value.at ?? { file: main, line: 1, column: 1 };
  const items = await reader.localChanges(path, at);
  if (items.length === 0) return tree;
  const all = await merged(plan, tree, items, sources, findings);
  const last = all.options.get(localChangesFile.name);
  if (last && localChangesPath(all, main) !== path && last.at.file === path)
    errors.push(
      new ConfigError('Local_Changes_File may not name another file in the file of local changes', {
        place: last.at,
        near: last.entry.name,
      }),
    );
  return all;
}

async function merged(
  { schema, patterns, slices }: ReadingPlan,
  base: Stanza,
  items: Sources['items'],
  { included }: Sources,
  findings: { readonly errors: ConfigError[]; readonly notices: Notice[] },
): Promise<Stanza> {
  const merging = new Merging({ base, items, included, schema, findings, host: patterns });
  await slices.run(() => merging.step());
  return merging.root;
}
