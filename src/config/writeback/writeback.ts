import { createHash } from 'node:crypto';
import { type Disk, DiskError } from '../../world/index.ts';
import { ConfigError, ConfigErrors } from '../errors.ts';
import { diskReason } from '../files/disk-text.ts';
import { isLocalOnly, localChangesPath } from '../files/local-changes.ts';
import type { SourceFile } from '../files/source-file.ts';
import { type ReadingPlan, readConfiguration } from '../live/reading.ts';
import { localChangesFile } from '../schema/config-options.ts';
import { printTree } from '../tree/print-tree.ts';
import { keyBelow, type Stanza } from '../tree/stanza.ts';
import { type Difference, differences, type Edit, editsBetween, editText, withEdits } from './edits.ts';
import { keyOf, layoutOf } from './layout.ts';
import { type Change, Placement } from './placement.ts';
import { changedText, grafted, NOTHING, withTexts } from './texts.ts';

/** What the files say, as far as this program knows: as they were read, with what was written back since. */
export interface Baseline {
  readonly tree: Stanza;
  /** SHA-256 by path; undefined for a file that was not there. */
  readonly hashes: ReadonlyMap<string, string | undefined>;
}

export interface WritebackParts {
  /** With the main file that was read. */
  readonly plan: ReadingPlan & { readonly file: string };
  readonly disk: Disk;
  readonly baseline: Baseline;
  readonly live: Stanza;
}

/** What a writeback has done. */
export interface Writeback {
  readonly written: readonly { readonly path: string; readonly changes: number }[];
  /** What is live and stands in no file, each with the reason. */
  readonly refused: readonly { readonly what: string; readonly why: string }[];
  /** The text of what no file can take: neither a file of local changes nor a main file that can be written. */
  readonly virtual: string;
  readonly baseline: Baseline;
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
    all = { ...last, written: summed(all.written, last.written), files: last.files ?? all.files };
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
  const localChanges = localChangesPath(live, plan.file);
  const edits = editsBetween(baseline.tree, live);
  const create = localChanges !== undefined && !(await exists(disk, localChanges));
  if (edits.length === 0 && !create) return { written: [], refused: [], virtual: '', baseline, files: undefined };
  const trial = new Trial(parts, await readNow(parts, localChanges), localChanges);
  const { accepted, texts, refused, nowhere, files } = await trial.settle(edits);
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
    files,
  };
}

type Read = Awaited<ReturnType<typeof readConfiguration>>;

interface Accepted {
  readonly edit: Edit;
  readonly changes: readonly Change[];
}

interface Settled {
  readonly accepted: readonly Accepted[];
  readonly texts: Map<string, string>;
  readonly refused: ReadonlyMap<Edit, string>;
  readonly nowhere: readonly Edit[];
  readonly files: readonly SourceFile[];
}

function readNow({ plan }: WritebackParts, localChanges: string | undefined): Promise<Read> {
  return readConfiguration({ ...plan, keepTexts: true, localChanges });
}

/** Tries edits on the texts of the files until what they give is what is live. */
class Trial {
  readonly #parts: WritebackParts;
  readonly #now: Read;
  readonly #localChanges: string | undefined;
  readonly #placement: Placement;

  constructor(parts: WritebackParts, now: Read, localChanges: string | undefined) {
    this.#parts = parts;
    this.#now = now;
    this.#localChanges = localChanges;
    this.#placement = new Placement({
      layout: layoutOf(now.sources, parts.plan.schema, localChanges),
      files: now.reading.files,
      main: parts.plan.file,
      localChanges,
      localOnly: isLocalOnly(parts.live),
      stale: staleFiles(now, parts.baseline),
    });
  }

  async settle(edits: readonly Edit[]): Promise<Settled> {
    const { plan } = this.#parts;
    const refused = new Map<Edit, string>();
    for (;;) {
      const { accepted, nowhere } = this.#place(edits, refused);
      const texts = this.#texts(accepted);
      const after = await readConfiguration({
        ...plan,
        disk: withTexts(plan.disk, texts),
        documents: this.#now.reading.documents,
        localChanges: this.#localChanges,
      });
      const wanted = withEdits(
        this.#now.reading.tree,
        accepted.map(({ edit }) => edit),
        plan.implicit,
      );
      const wrong = differences(wanted, after.reading.tree);
      if (wrong.length === 0) {
        return { accepted, texts, refused, nowhere, files: after.reading.files };
      }
      const guilty = this.#guilty(accepted, wrong);
      if (guilty.length === 0) throw new ConfigErrors([unexpected(wrong)]);
      for (const [edit, why] of guilty) refused.set(edit, why);
    }
  }

  /** @returns why a file was not written */
  async write(path: string, text: string): Promise<string | undefined> {
    const { disk } = this.#parts;
    try {
      const before = this.#now.reading.files.find((file) => file.path === path)?.hash;
      // It was read a moment ago, and somebody may be saving it just now.
      const now = (await exists(disk, path)) ? sha256(await disk.read(path)) : undefined;
      if (now !== before) return `${path} ${CHANGED}`;
      await disk.replace(path, Buffer.from(text), 0o640);
      return undefined;
    } catch (error) {
      if (error instanceof DiskError) return `cannot write ${path}: ${diskReason(error)}`;
      throw error;
    }
  }

  #place(
    edits: readonly Edit[],
    refused: Map<Edit, string>,
  ): { readonly accepted: readonly Accepted[]; readonly nowhere: readonly Edit[] } {
    const accepted: Accepted[] = [];
    const nowhere: Edit[] = [];
    for (const edit of edits) {
      if (refused.has(edit)) continue;
      const placed = this.#placement.place(edit);
      if (placed.kind === 'changes') accepted.push({ edit, changes: placed.changes });
      else if (placed.kind === 'refused') refused.set(edit, placed.why);
      else nowhere.push(edit);
    }
    return { accepted, nowhere };
  }

  /** In the order of reading. */
  #texts(accepted: readonly Accepted[]): Map<string, string> {
    const byFile = new Map<string, Change[]>();
    for (const { path } of this.#now.reading.files) byFile.set(path, []);
    for (const { changes } of accepted) for (const change of changes) byFile.get(change.file)?.push(change);
    const texts = new Map<string, string>();
    for (const [path, changes] of byFile) {
      if (changes.length === 0) continue;
      texts.set(path, changedText(this.#now.sources.parsed.get(path)?.text ?? '', changes));
    }
    return texts;
  }

  /** @returns what must be given up, each with the reason */
  #guilty(accepted: readonly Accepted[], wrong: readonly Difference[]): readonly (readonly [Edit, string])[] {
    const edits = accepted.map(({ edit }) => edit);
    const near = edits.filter((edit) => {
      const own = keyOf(edit.steps);
      return wrong.some((difference) => concerns(edit, own, difference));
    });
    if (near.length > 0) return near.map((edit) => [edit, 'what other files say there would still decide']);
    return edits
      .filter((edit) => edit.kind === 'set' || edit.kind === 'unset')
      .filter((edit) => (edit.kind === 'set' ? edit.assignment.entry.name : edit.name) === localChangesFile.name)
      .map((edit) => [edit, 'what that file sets is live, and would be lost']);
  }
}

/** @param own the key of the path of the edit */
function concerns(edit: Edit, own: string, { key, name }: Difference): boolean {
  if (edit.kind === 'set' || edit.kind === 'unset') {
    const option = edit.kind === 'set' ? edit.assignment.entry.name : edit.name;
    return name === undefined ? own === key || own.startsWith(`${key}:`) : own === key && option === name;
  }
  return own === key || key.startsWith(`${own}:`) || own.startsWith(`${key}:`);
}

function unexpected([first]: readonly Difference[]): ConfigError {
  const where = first?.name === undefined ? first?.key : keyBelow(first.key, first.name, '').replace(/:$/, '');
  return new ConfigError(
    `nothing was written: read again, the files would not give what is live (${where}); save with writeback FILE`,
  );
}

const CHANGED = 'has changed on disk since it was read';

function staleFiles(now: Read, baseline: Baseline): ReadonlyMap<string, string> {
  const stale = new Map<string, string>();
  for (const { path, hash } of now.reading.files) {
    if (hash === baseline.hashes.get(path)) continue;
    if (baseline.hashes.has(path)) stale.set(path, `this file ${CHANGED}`);
    else if (now.sources.parsed.get(path)?.items.length !== 0)
      stale.set(path, 'this file has contents that were never read');
  }
  return stale;
}

async function exists(disk: Disk, path: string): Promise<boolean> {
  return (await disk.status(path)) !== undefined;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
