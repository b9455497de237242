import { createHash } from 'node:crypto';
import { type Disk, DiskError } from '../../world/index.ts';
import { ConfigError, ConfigErrors } from '../errors.ts';
import { diskReason } from '../files/disk-text.ts';
import { isLocalOnly } from '../files/local-changes.ts';
import type { SourceFile } from '../files/source-file.ts';
import { type ReadingPlan, readConfiguration } from '../live/reading.ts';
import { keyBelow, type Stanza } from '../tree/stanza.ts';
import { type Difference, differences, type Edit, withEdits } from './edits.ts';
import { keyOf, layoutOf } from './layout.ts';
import { type Change, Placement } from './placement.ts';
import { changedText, withTexts } from './texts.ts';

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

/** A reading with the texts of the files. */
export type Read = Awaited<ReturnType<typeof readConfiguration>>;

/** An edit and what it does to the files. */
export interface Accepted {
  readonly edit: Edit;
  readonly changes: readonly Change[];
}

/** What can be written, and what cannot. */
export interface Settled {
  readonly accepted: readonly Accepted[];
  readonly texts: Map<string, string>;
  readonly refused: ReadonlyMap<Edit, string>;
  readonly nowhere: readonly Edit[];
  readonly files: readonly SourceFile[];
  /** What the files will give. */
  readonly tree: Stanza;
}

/** Tries edits on the texts of the files until what they give is what is live. */
export class Trial {
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

  /** @param given edits that are given up from the start, with the reason */
  async settle(edits: readonly Edit[], given: ReadonlyMap<Edit, string>): Promise<Settled> {
    const { plan } = this.#parts;
    const refused = new Map(given);
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
        const { files, tree } = after.reading;
        return { accepted, texts, refused, nowhere, files, tree };
      }
      const guilty = accepted.filter(({ edit }) => wrong.some((difference) => concerns(edit, difference)));
      if (guilty.length === 0) throw new ConfigErrors([unexpected(wrong)]);
      for (const { edit } of guilty) refused.set(edit, 'what other files say there would still decide');
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
}

function concerns(edit: Edit, { key, name }: Difference): boolean {
  const own = keyOf(edit.steps);
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

export async function exists(disk: Disk, path: string): Promise<boolean> {
  return (await disk.status(path)) !== undefined;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
