import { placeText } from '../errors.ts';
import type { SourceFile } from '../files/source-file.ts';
import type { RawValue } from '../option.ts';
import { localChangesFile } from '../schema/config-options.ts';
import type { OptionSpan } from '../text/spans.ts';
import type { Step } from '../tree/stanza.ts';
import type { Edit } from './edits.ts';
import { type AssignmentSpot, keyOf, type Layout, type StanzaSpot } from './layout.ts';

/** What happens to one file. */
export type Change =
  | { readonly kind: 'replace'; readonly file: string; readonly span: OptionSpan; readonly value: RawValue }
  | {
      readonly kind: 'remove';
      readonly file: string;
      readonly span: { readonly start: number; readonly end: number };
    }
  | {
      readonly kind: 'insert';
      readonly file: string;
      /** The stanza at whose end it is put; undefined for the end of the file. */
      readonly within: StanzaSpot | undefined;
      /** From there to what is put in. */
      readonly steps: readonly Step[];
      readonly edit: Edit;
    };

/** Where one edit goes. `nowhere`: there is no file for it, so it stays in memory. */
export type Placed =
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'nowhere' };

export interface PlacementParts {
  readonly layout: Layout;
  /** In the order of reading. */
  readonly files: readonly SourceFile[];
  readonly main: string;
  readonly localChanges: string | undefined;
  /** Every change goes into the file of local changes. */
  readonly localOnly: boolean;
  /** Why nothing is written to a file that others may write: it has changed since it was read. */
  readonly stale: ReadonlyMap<string, string>;
}

/** The rules by which an online change finds its file (spec: where an online change is stored). */
export class Placement {
  readonly #parts: PlacementParts;
  readonly #files: ReadonlyMap<string, SourceFile>;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
    this.#files = new Map(parts.files.map((file) => [file.path, file]));
  }

  place(edit: Edit): Placed {
    switch (edit.kind) {
      case 'set':
        return this.#set(edit);
      case 'unset':
        return this.#removal(this.#parts.layout.assignments(keyOf(edit.steps), edit.name), 'it is set at');
      case 'gone':
        return this.#removal(this.#parts.layout.stanzas.get(keyOf(edit.steps)) ?? [], 'it stands at');
      case 'new':
        return this.#anywhere(edit, this.#lastLike(edit.steps));
      case 'moved': {
        const spots = this.#parts.layout.stanzas.get(keyOf(edit.steps)) ?? [];
        const away = this.#removal(spots, 'it stands at');
        if (away.kind !== 'changes') return away;
        const again = this.#anywhere(edit, this.#lastLike(edit.steps));
        return again.kind === 'changes'
          ? { kind: 'changes', changes: [...away.changes, ...again.changes] }
          : again.kind === 'nowhere'
            ? { kind: 'refused', why: 'there is no file in which it could stand behind the others' }
            : again;
      }
    }
  }

  #set(edit: Edit & { readonly kind: 'set' }): Placed {
    const { layout, localChanges, localOnly } = this.#parts;
    const { name } = edit.assignment.entry;
    if (name === localChangesFile.name) return this.#setLocalChangesFile(edit);
    const last = layout.assignments(keyOf(edit.steps), name).at(-1);
    if (last && this.#isWritable(last.file) && (!localOnly || last.file === localChanges))
      return this.#replaced(edit, last);
    const after = last?.order ?? -1;
    if (!localOnly) {
      for (const { path } of this.#parts.files) {
        const change = this.#isWritable(path) ? this.#insert(path, edit, after, true) : undefined;
        if (change) return this.#written(path, change);
      }
    }
    return this.#anywhere(edit, after);
  }

  /** Its own name would be read too late in that file, and is the one thing that others must say. */
  #setLocalChangesFile(edit: Edit & { readonly kind: 'set' }): Placed {
    const { layout, files, main, localOnly } = this.#parts;
    const last = layout.assignments(keyOf(edit.steps), localChangesFile.name).at(-1);
    if (!localOnly) {
      if (last && this.#isWritable(last.file)) return this.#replaced(edit, last);
      for (const { path, role } of files) {
        if (role === 'local changes' || !this.#isWritable(path)) continue;
        const change = this.#insert(path, edit, last?.order ?? -1, true);
        if (change) return this.#written(path, change);
      }
    }
    const why = localOnly ? 'Local_Changes_Only keeps all other files as they are' : 'no other file can be written';
    return { kind: 'refused', why: `${why}: write it into ${main} by hand, or the next start will not know of it` };
  }

  #replaced(edit: Edit & { readonly kind: 'set' }, { file, span }: AssignmentSpot): Placed {
    return this.#written(file, { kind: 'replace', file, span, value: edit.assignment.value });
  }

  /** Rules 1 and 4: the file of local changes, else the main file. */
  #anywhere(edit: Edit, after: number): Placed {
    const { main, localChanges } = this.#parts;
    const path = localChanges ?? (this.#isWritable(main) ? main : undefined);
    if (path === undefined) return { kind: 'nowhere' };
    const change = this.#insert(path, edit, after, false);
    if (!change) return { kind: 'refused', why: `what stands behind ${path} would be read later` };
    return this.#written(path, change);
  }

  #removal(spots: readonly (AssignmentSpot | StanzaSpot)[], where: string): Placed {
    for (const { file, at } of spots) {
      const trouble =
        this.#parts.localOnly && file !== this.#parts.localChanges
          ? 'Local_Changes_Only keeps that file as it is'
          : this.#trouble(file);
      if (trouble !== undefined) return { kind: 'refused', why: `${where} ${placeText(at)}, and ${trouble}` };
    }
    return { kind: 'changes', changes: spots.map(({ file, span }) => ({ kind: 'remove', file, span })) };
  }

  /** @param exact only into a stanza of that very path */
  #insert(file: string, edit: Edit, after: number, exact: boolean): Change | undefined {
    const { layout } = this.#parts;
    const base = layout.files.get(file);
    // What is new has no stanza yet: it goes into the one around.
    const whole = edit.kind === 'set' ? edit.steps.length : edit.steps.length - 1;
    for (let depth = whole; depth >= (exact ? whole : 0); depth--) {
      const key = keyOf(edit.steps.slice(0, depth));
      const steps = edit.steps.slice(depth);
      const within = layout.stanzas.get(key)?.findLast((spot) => spot.file === file && spot.endOrder > after);
      if (within) return { kind: 'insert', file, within, steps, edit };
      if (base?.key === key && base.endOrder > after) return { kind: 'insert', file, within: undefined, steps, edit };
    }
    return undefined;
  }

  /** Patterns are asked in the order of first appearance: a new one must appear behind the others. */
  #lastLike(steps: readonly Step[]): number {
    const last = steps.at(-1);
    if (!last?.pattern) return -1;
    const own = keyOf(steps);
    let order = -1;
    for (const like of this.#parts.layout.patterns(keyOf(steps.slice(0, -1)), last.type))
      if (like.key !== own) order = Math.max(order, like.order);
    return order;
  }

  #written(file: string, change: Change): Placed {
    const trouble = this.#trouble(file);
    return trouble === undefined
      ? { kind: 'changes', changes: [change] }
      : { kind: 'refused', why: `it belongs into ${file}, and ${trouble}` };
  }

  #isWritable(file: string): boolean {
    const known = this.#files.get(file);
    return known !== undefined && known.readOnly === undefined;
  }

  #trouble(file: string): string | undefined {
    const reason = this.#files.get(file)?.readOnly;
    return reason === undefined ? this.#parts.stale.get(file) : `this file is read-only (${reason})`;
  }
}
