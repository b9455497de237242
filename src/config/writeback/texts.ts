import { millis } from '../../base/index.ts';
import type { Disk } from '../../world/index.ts';
import type { ReadableDisk } from '../files/disk-text.ts';
import { BUILT_IN } from '../schema/declare.ts';
import { spansOf } from '../text/spans.ts';
import { emptyStanza, ROOT_STEP, type Stanza, withOption, withStanza } from '../tree/stanza.ts';
import type { StanzaSpot } from './layout.ts';
import type { Change } from './placement.ts';
import { insertion, removal, replacement, type Splice, spliced } from './splice.ts';

/** @returns the new text of one file */
export function changedText(text: string, changes: readonly Change[]): string {
  const splices: Splice[] = [];
  const grafts = new Map<StanzaSpot | undefined, Stanza>();
  for (const change of changes) {
    switch (change.kind) {
      case 'replace':
        splices.push(replacement(text, change.span, change.value));
        break;
      case 'remove':
        splices.push(removal(text, change.span));
        break;
      case 'insert':
        // What goes to one place is written as one, so that a new stanza stands there once.
        grafts.set(change.within, grafted(grafts.get(change.within) ?? NOTHING, change));
        break;
    }
  }
  for (const [within, content] of grafts) {
    const around = within ? within.span.items : spansOf(text);
    splices.push(insertion(text, within?.span, around, content));
  }
  return spliced(text, splices);
}

export const NOTHING = emptyStanza(undefined, ROOT_STEP, BUILT_IN);

/** A stanza with what an edit sets or adds. */
export function grafted(onto: Stanza, { edit, steps }: Pick<Change & { kind: 'insert' }, 'edit' | 'steps'>): Stanza {
  switch (edit.kind) {
    case 'set':
      return withOption(onto, steps, edit.assignment);
    case 'new':
    case 'moved':
      return withStanza(onto, steps, edit.stanza);
    default:
      return onto;
  }
}

/** A disk on which some files have another text. */
export function withTexts(disk: ReadableDisk, texts: ReadonlyMap<string, string>): ReadableDisk {
  const bytesOf = (path: string): Uint8Array | undefined => {
    const text = texts.get(path);
    return text === undefined ? undefined : Buffer.from(text);
  };
  return {
    read: async (path) => bytesOf(path) ?? disk.read(path),
    list: (path) => disk.list(path),
    writable: (path) => disk.writable(path),
    async status(path): ReturnType<Disk['status']> {
      const status = await disk.status(path);
      const bytes = bytesOf(path);
      if (bytes === undefined) return status;
      return status ? { ...status, size: bytes.length } : { ...NEW_FILE, size: bytes.length };
    },
  };
}

const NEW_FILE = { kind: 'file', modified: millis(0), mode: 0o640, owner: 0, device: 0 } as const;
