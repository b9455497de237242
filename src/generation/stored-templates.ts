import { pagesOf, type StoreDoor } from './api-store.ts';
import type { Content, Options } from './order.ts';
import { Trouble } from './trouble.ts';

export type TemplateOptions = Pick<Options, 'transactional' | 'open_tracking' | 'click_tracking'>;

interface Version {
  /** ISO 8601. */
  readonly edited: string;
  /** Counts the edits of this template. */
  readonly version: number;
}

/** A template without its content. */
export interface TemplateEntry {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly options: TemplateOptions;
  readonly draft: Version | undefined;
  readonly published: Version | undefined;
}

export type Which = 'draft' | 'published';

export interface TemplateEdit {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly options?: TemplateOptions | undefined;
  readonly content?: Content | undefined;
  readonly published?: boolean | undefined;
}

/** Templates that were stored, each with a draft, a published version, or both. */
export class StoredTemplates {
  readonly #store: StoreDoor;

  constructor(store: StoreDoor) {
    this.#store = store;
  }

  find(id: string): TemplateEntry | undefined {
    const text = this.#store.get(ENTRY + id);
    return text === undefined ? undefined : read(text);
  }

  /** All of them, page by page. */
  *pages(): Generator<readonly TemplateEntry[]> {
    for (const entries of pagesOf(this.#store, ENTRY, BEYOND)) yield entries.map(({ value }) => read(value));
  }

  /** @throws Trouble 2004, 2005 when there is no such version */
  content(entry: TemplateEntry, which: Which): { readonly content: Content; readonly version: string } {
    const version = entry[which];
    const text = version === undefined ? undefined : this.#store.get(contentKey(which, entry.id));
    if (version === undefined || text === undefined)
      throw new Trouble(which === 'draft' ? '2004' : '2005', `template ${entry.id} has no ${which} version`);
    return { content: JSON.parse(text) as Content, version: String(version.version) };
  }

  /** @throws Trouble 3030 */
  create(id: string, edit: TemplateEdit & { readonly content: Content }, now: string): void {
    if (this.find(id) !== undefined) throw new Trouble('3030', `there is a template ${id} already`);
    const version = { edited: now, version: 1 };
    const published = edit.published === true;
    this.#write(
      {
        id,
        name: edit.name ?? id,
        description: edit.description ?? '',
        options: edit.options ?? {},
        draft: published ? undefined : version,
        published: published ? version : undefined,
      },
      [[contentKey(published ? 'published' : 'draft', id), JSON.stringify(edit.content)]],
    );
  }

  /**
   * Content is replaced whole, everything else merged. `published: true` makes the draft, or what comes with it, the
   * published version, and the draft is gone.
   *
   * @param live edits the published version and not the draft. @throws Trouble 2004, 2005
   */
  update(before: TemplateEntry, edit: TemplateEdit, live: boolean, now: string): void {
    const { id } = before;
    const next = { edited: now, version: Math.max(before.draft?.version ?? 0, before.published?.version ?? 0) + 1 };
    const contents: [string, string | undefined][] = [];
    let { draft, published } = before;
    if (live && published === undefined) throw new Trouble('2005', `template ${id} has no published version`);
    const publish = edit.published === true && !live;
    if (publish) {
      const content = edit.content ?? (draft === undefined ? undefined : this.content(before, 'draft').content);
      if (content === undefined && published === undefined) throw new Trouble('2004', `template ${id} has no draft`);
      if (content !== undefined) {
        contents.push([contentKey('published', id), JSON.stringify(content)], [contentKey('draft', id), undefined]);
        published = next;
        draft = undefined;
      }
    } else if (edit.content !== undefined) {
      contents.push([contentKey(live ? 'published' : 'draft', id), JSON.stringify(edit.content)]);
      if (live) published = next;
      else draft = next;
    } else if (live) published = next;
    this.#write(
      {
        id,
        name: edit.name ?? before.name,
        description: edit.description ?? before.description,
        options: { ...before.options, ...edit.options },
        draft,
        published,
      },
      contents,
    );
  }

  remove(id: string): void {
    this.#store.write([
      [ENTRY + id, undefined],
      [contentKey('draft', id), undefined],
      [contentKey('published', id), undefined],
    ]);
  }

  #write(entry: TemplateEntry, contents: readonly (readonly [string, string | undefined])[]): void {
    this.#store.write([[ENTRY + entry.id, JSON.stringify(entry)], ...contents]);
  }
}

const ENTRY = 'template\u0000';
const BEYOND = 'template\u0001';
const contentKey = (which: Which, id: string): string => `template-${which}\u0000${id}`;

/** Only `#write` writes them. */
function read(text: string): TemplateEntry {
  return JSON.parse(text) as TemplateEntry;
}
