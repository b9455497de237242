import { localChangesPath } from '../files/local-changes.ts';
import type { SourceFile } from '../files/source-file.ts';
import { readConfiguration } from '../live/reading.ts';
import type { Place } from '../option.ts';
import { localChangesFile } from '../schema/config-options.ts';
import { printTree } from '../tree/print-tree.ts';
import type { Assignment } from '../tree/stanza.ts';
import { type Edit, editsBetween, editText, placesOf, withEdits } from './edits.ts';
import { grafted, NOTHING } from './texts.ts';
import { type Baseline, exists, type Read, sha256, Trial, type WritebackParts } from './trial.ts';

/** What a writeback has done. */
export interface Writeback {
  readonly written: readonly { readonly path: string; readonly changes: number }[];
  /** What is live and stands in no file, each with the reason. */
  readonly refused: readonly { readonly what: string; readonly why: string }[];
  /** The text of what no file can take: neither a file of local changes nor a main file that can be written. */
  readonly virtual: string;
  readonly baseline: Baseline;
  /** Where what was changed online stands now. */
  readonly places: readonly (readonly [Assignment, Place])[];
  /** The files as they are now; undefined when none was looked at. */
  readonly files: readonly SourceFile[] | undefined;
}

/**
 * Puts what was changed online into the files. They are read again first, and the result is read and compared with what
 * is live before anything is written.
 *
 * @throws ConfigErrors when the files are no valid configuration any more, or would not be one afterwards
 */
export async function writeBack(parts: WritebackParts): Promise<Writeback> {
  let all = await writeOnce(parts);
  // A stanza that has gone took its include along: a file that was included twice can be written now.
  for (let last = all; last.written.length > 0 && last.refused.length > 0; ) {
    last = await writeOnce({ ...parts, baseline: last.baseline });
    all = {
      ...last,
      written: summed(all.written, last.written),
      places: [...all.places, ...last.places],
      files: last.files ?? all.files,
    };
  }
  return all;
}

function summed(one: Writeback['written'], more: Writeback['written']): Writeback['written'] {
  const counts = new Map(one.map(({ path, changes }) => [path, changes]));
  for (const { path, changes } of more) counts.set(path, (counts.get(path) ?? 0) + changes);
  return [...counts].map(([path, changes]) => ({ path, changes }));
}

async function writeOnce(parts: WritebackParts): Promise<Writeback> {
  const { plan, disk, baseline, live } = parts;
  const edits = editsBetween(baseline.tree, live);
  const wanted = localChangesPath(live, plan.file);
  if (edits.length === 0 && (wanted === undefined || (await exists(disk, wanted))))
    return { written: [], refused: [], virtual: '', baseline, places: [], files: undefined };
  const { now, localChanges, given } = await readNow(parts, edits);
  const create = localChanges !== undefined && !(await exists(disk, localChanges));
  const trial = new Trial(parts, now, localChanges);
  const { accepted, texts, refused, nowhere, files, tree } = await trial.settle(edits, given);
  const counts = new Map<string, number>();
  for (const { changes } of accepted) for (const { file } of changes) counts.set(file, (counts.get(file) ?? 0) + 1);
  if (create && !texts.has(localChanges)) texts.set(localChanges, '');

  const hashes = new Map(baseline.hashes);
  const written: { path: string; changes: number }[] = [];
  const failed = new Map<string, string>();
  // What is read last is written first: until the others name it, a file of local changes does no harm.
  for (const [path, text] of [...texts].reverse()) {
    const why = await trial.write(path, text);
    if (why === undefined) {
      hashes.set(path, sha256(Buffer.from(text)));
      written.push({ path, changes: counts.get(path) ?? 0 });
    } else failed.set(path, why);
  }
  const done = accepted.filter(({ changes }) => !changes.some(({ file }) => failed.has(file)));
  const undone = accepted.filter((each) => !done.includes(each));
  return {
    written: written.reverse(),
    refused: [
      ...[...refused].map(([edit, why]) => ({ what: editText(edit), why })),
      ...undone.map(({ edit, changes }) => ({
        what: editText(edit),
        why: changes.flatMap(({ file }) => failed.get(file) ?? [])[0] ?? '',
      })),
      ...[...failed].flatMap(([path, why]) => (counts.has(path) ? [] : [{ what: path, why }])),
    ],
    virtual: printTree(nowhere.reduce((onto, edit) => grafted(onto, { edit, steps: edit.steps }), NOTHING)),
    baseline: {
      tree: withEdits(
        baseline.tree,
        done.map(({ edit }) => edit),
        plan.implicit,
      ),
      hashes,
    },
    places: done.flatMap(({ edit }) => [...placesOf(edit, tree)]),
    files,
  };
}

/**
 * Reads the files as they are. Who names another file of local changes, or none, while the one before holds what is
 * live, would lose that: then the one before stays.
 */
async function readNow(
  { plan, baseline, live }: WritebackParts,
  edits: readonly Edit[],
): Promise<{ readonly now: Read; readonly localChanges: string | undefined; readonly given: Map<Edit, string> }> {
  const read = (localChanges: string | undefined): Promise<Read> =>
    readConfiguration({ ...plan, keepTexts: true, localChanges });
  const before = localChangesPath(baseline.tree, plan.file);
  const wanted = localChangesPath(live, plan.file);
  if (before === undefined || before === wanted)
    return { now: await read(wanted), localChanges: wanted, given: new Map() };
  const now = await read(before);
  if (now.sources.parsed.get(before)?.items.length === 0)
    return { now: await read(wanted), localChanges: wanted, given: new Map() };
  const why = `${before} holds what is live: take that into another file first`;
  const naming = edits.filter((edit) => namesLocalChanges(edit));
  return { now, localChanges: before, given: new Map(naming.map((edit) => [edit, why])) };
}

function namesLocalChanges(edit: Edit): boolean {
  if (edit.kind === 'set') return edit.assignment.entry.name === localChangesFile.name;
  return edit.kind === 'unset' && edit.name === localChangesFile.name;
}
