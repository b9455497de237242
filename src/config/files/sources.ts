import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { type DirectoryEntry, type Disk, DiskError, type Slices } from '../../world/index.ts';
import { ConfigError, ConfigErrors, Notice } from '../errors.ts';
import type { Place } from '../option.ts';
import { Parsing } from '../text/grammar.ts';
import { type Budget, type IncludeItem, type Item, LIMITS } from '../text/items.ts';
import { badLines, diskReason, MISSING, type ReadableDisk, textOfBytes } from './disk-text.ts';
import { fetched, keepCopy, type RemoteIncludes, targetOf, withoutUser } from './remote.ts';
import type { ReadOnlyReason, SourceFile } from './source-file.ts';

/** What all files of a configuration say. */
export interface Sources {
  readonly main: string;
  readonly items: readonly Item[];
  readonly included: ReadonlyMap<IncludeItem, readonly Item[]>;
  /** The files that each include directive stands for, in order. */
  readonly targets: ReadonlyMap<IncludeItem, readonly string[]>;
  readonly parsed: ReadonlyMap<string, ParsedFile>;
  /** Documents of the web, by URI. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

export interface ParsedFile {
  readonly items: readonly Item[];
  /** Kept when it was asked for. */
  readonly text: string | undefined;
}

/** Where a SourceReader reads. */
export interface SourceWorld {
  readonly disk: ReadableDisk;
  /** Where copies of remote documents are kept. */
  readonly copiesDisk: Disk;
  /** Where included files are looked for, behind the directory of the including file. */
  readonly directories: readonly string[];
  readonly remote: RemoteIncludes | undefined;
  /** Copies of documents are used but not made. */
  readonly looksOnly: boolean;
  /** Documents that were read before and are not asked for again. */
  readonly documents?: ReadonlyMap<string, Uint8Array>;
  readonly keepTexts?: boolean;
  /** Reading gives way to other work by these. */
  readonly slices: Slices;
}

/**
 * @returns the first `impetus.conf` or `ecelerity.conf` on the search path
 * @throws ConfigErrors when a directory cannot be looked into: the file that counts may be there
 */
export async function findMainFile(disk: ReadableDisk, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    for (const name of ['impetus.conf', 'ecelerity.conf']) {
      const path = join(directory, name);
      const status = await statusOf(disk, path);
      if (typeof status !== 'string' && status.kind === 'file') return path;
      if (typeof status === 'string' && status !== MISSING)
        throw new ConfigErrors([new ConfigError(`cannot read ${path}: ${status}`)]);
    }
  }
  return undefined;
}

interface ReadFile extends ParsedFile {
  readonly role: SourceFile['role'];
  readonly hash: string | undefined;
  readOnly: ReadOnlyReason | undefined;
}

/** Reads and parses a main file, all that it includes, and at the end a file of local changes. */
export class SourceReader {
  readonly #world: SourceWorld;
  readonly #errors: ConfigError[];
  readonly #notices: Notice[];
  readonly #budget: Budget = { items: 0 };
  /** Parsed once, however often it is included. */
  readonly #read = new Map<string, ReadFile>();
  readonly #included = new Map<IncludeItem, readonly Item[]>();
  readonly #targets = new Map<IncludeItem, readonly string[]>();
  readonly #documents = new Map<string, Uint8Array>();
  /** Documents behind `persist://`, fresh from their servers. */
  readonly #unkept = new Map<string, { readonly bytes: Uint8Array; readonly at: Place }>();

  /** @param errors where errors of all files are added */
  constructor(world: SourceWorld, errors: ConfigError[], notices: Notice[]) {
    this.#world = world;
    this.#errors = errors;
    this.#notices = notices;
  }

  /**
   * @param main a normalized path
   * @throws ConfigErrors with the reason `not found` when there is no such file
   */
  async main(main: string): Promise<Sources> {
    const status = await statusOf(this.#world.disk, main);
    if (typeof status === 'string')
      throw new ConfigErrors([new ConfigError(`cannot read ${main}: ${status}`)], 'not found');
    // A device has no end, and nobody may be at the other one of a pipe.
    if (status.kind === 'socket' || status.kind === 'other')
      throw new ConfigErrors([new ConfigError(`cannot read ${main}: it is no file`)]);
    const items = await this.#file(main, { file: main, line: 1, column: 1 }, undefined, [], 'main');
    return {
      main,
      items,
      included: this.#included,
      targets: this.#targets,
      parsed: this.#read,
      documents: this.#documents,
    };
  }

  /** The file that is loaded last. One that is not there is empty. */
  async localChanges(path: string, from: Place): Promise<readonly Item[]> {
    if ((await statusOf(this.#world.disk, path)) === MISSING) {
      this.#read.set(path, { role: 'local changes', items: [], text: '', hash: undefined, readOnly: undefined });
      return [];
    }
    return this.#file(path, from, undefined, [], 'local changes');
  }

  /** Keeps copies of what was read. For who knows that it is right: a copy must not be worse than none. */
  async keepCopies(): Promise<void> {
    const { remote, copiesDisk, looksOnly } = this.#world;
    if (remote === undefined || looksOnly) return;
    for (const [url, { bytes, at }] of this.#unkept) {
      const warning = await keepCopy(remote, copiesDisk, url, bytes);
      if (warning !== undefined) this.#notices.push(new Notice('warning', at, warning));
    }
  }

  /** In the order of reading. */
  async files(): Promise<readonly SourceFile[]> {
    return Promise.all(
      [...this.#read].map(async ([path, { role, hash, readOnly }]) => {
        const reason = readOnly ?? ((await this.#writable(path)) ? undefined : 'this process may not write it');
        return { path, role, readOnly: reason, hash };
      }),
    );
  }

  async #writable(path: string): Promise<boolean> {
    try {
      return await this.#world.disk.writable(path);
    } catch (error) {
      if (error instanceof DiskError) return false;
      throw error;
    }
  }

  /** @param inside the files whose including has led here */
  async #file(
    path: string,
    from: Place,
    readOnly: ReadOnlyReason | undefined,
    inside: readonly string[],
    role: SourceFile['role'] = 'included',
    bytes?: Uint8Array,
  ): Promise<readonly Item[]> {
    if (inside.includes(path))
      return this.#fail(`'${path}' includes itself: ${[...inside, path].join(' → ')}`, from, path);
    if (inside.length > LIMITS.includeDepth)
      return this.#fail(`more than ${LIMITS.includeDepth} files included inside each other`, from, path);
    const before = this.#read.get(path);
    if (before) {
      before.readOnly ??= 'included more than once';
      return before.items;
    }
    const content = bytes ?? (await this.#bytes(path, from));
    if (content === undefined) return [];
    for (const place of badLines(content, path)) this.#fail('this line is not UTF-8', place, '');
    const text = await textOfBytes(content, this.#world.slices);
    const parsing = new Parsing(text, path, this.#errors, this.#budget);
    await this.#world.slices.run(() => parsing.step());
    const { items } = parsing;
    const hash = createHash('sha256').update(content).digest('hex');
    this.#read.set(path, { role, items, text: this.#world.keepTexts === true ? text : undefined, hash, readOnly });
    for (const item of parsing.includes) {
      this.#targets.set(item, []);
      this.#included.set(item, await this.#include(item, path, [...inside, path]));
    }
    return items;
  }

  async #include(item: IncludeItem, from: string, inside: readonly string[]): Promise<readonly Item[]> {
    const target = targetOf(item.path, this.#world.remote !== undefined);
    switch (target.kind) {
      case 'wrong':
        return this.#fail(`'${withoutUser(item.path)}': ${target.why}`, item.at, withoutUser(item.path));
      case 'web':
        return this.#document(target.url, target.persist, item, inside);
      case 'path':
        return this.#path(target.path, item, from, inside);
    }
  }

  async #path(target: string, item: IncludeItem, from: string, inside: readonly string[]): Promise<readonly Item[]> {
    // What stands beside a document of the web is on the web.
    const beside = REMOTE.test(from) ? undefined : dirname(from);
    if (beside === undefined && !isAbsolute(target)) {
      const items = await this.#document(new URL(target, from).href, false, item, inside, true);
      if (items !== undefined) return items;
    }
    for (const path of isAbsolute(target)
      ? [target]
      : [...(beside === undefined ? [] : [beside]), ...this.#world.directories].map((each) => join(each, target))) {
      const status = await statusOf(this.#world.disk, path);
      if (status === MISSING) continue;
      if (typeof status === 'string') return this.#fail(`failed to stat '${path}': ${status}`, item.at, item.path);
      const readOnly = item.readOnly ? 'reached by readonly_include' : undefined;
      if (status.kind === 'file') {
        this.#targets.set(item, [normalize(path)]);
        return this.#file(normalize(path), item.at, readOnly, inside);
      }
      if (status.kind === 'directory') return this.#directory(path, item, readOnly, inside);
      return this.#fail(`'${path}' is neither a file nor a directory`, item.at, item.path);
    }
    return this.#fail(`failed to stat '${item.path}': ${MISSING}`, item.at, item.path);
  }

  async #document(
    url: string,
    persist: boolean,
    item: IncludeItem,
    inside: readonly string[],
  ): Promise<readonly Item[]>;
  async #document(
    url: string,
    persist: boolean,
    item: IncludeItem,
    inside: readonly string[],
    mayMiss: true,
  ): Promise<readonly Item[] | undefined>;
  async #document(
    url: string,
    persist: boolean,
    item: IncludeItem,
    inside: readonly string[],
    mayMiss = false,
  ): Promise<readonly Item[] | undefined> {
    const { remote, copiesDisk } = this.#world;
    if (remote === undefined) return [];
    const known = this.#documents.get(url) ?? this.#world.documents?.get(url);
    const answer =
      known === undefined
        ? await fetched(remote, copiesDisk, url, persist)
        : ({ kind: 'found', bytes: known, warning: undefined } as const);
    if (answer.kind !== 'found') {
      if (mayMiss && answer.kind === 'missing') return undefined;
      return this.#fail(`cannot read ${url}: ${answer.why}`, item.at, item.path);
    }
    if (answer.warning !== undefined) this.#notices.push(new Notice('warning', item.at, answer.warning));
    else if (persist && known === undefined) this.#unkept.set(url, { bytes: answer.bytes, at: item.at });
    this.#documents.set(url, answer.bytes);
    this.#targets.set(item, [url]);
    const readOnly = persist ? 'a kept copy of a document of the web' : 'loaded over http';
    return this.#file(url, item.at, readOnly, inside, 'included', answer.bytes);
  }

  async #directory(
    path: string,
    item: IncludeItem,
    readOnly: ReadOnlyReason | undefined,
    inside: readonly string[],
  ): Promise<readonly Item[]> {
    const items: Item[] = [];
    const files: string[] = [];
    const entries = (await this.#list(path, item)).filter((entry) => !entry.name.startsWith('.'));
    // By code unit: the order must not depend on somebody's locale.
    entries.sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const { name, kind } of entries) {
      const file = normalize(join(path, name));
      // A link to a file is as good as the file.
      if (kind === 'directory' || (kind === 'other' && !(await this.#leadsToFile(file)))) continue;
      if (LEFTOVER.test(name)) {
        this.#notices.push(
          new Notice('warning', item.at, `${file} looks like a leftover of an editor or a package, and was not read`),
        );
        continue;
      }
      files.push(file);
      for (const each of await this.#file(file, item.at, readOnly, inside)) items.push(each);
    }
    this.#targets.set(item, files);
    return items;
  }

  async #leadsToFile(path: string): Promise<boolean> {
    const status = await statusOf(this.#world.disk, path);
    return typeof status !== 'string' && status.kind === 'file';
  }

  async #list(path: string, item: IncludeItem): Promise<DirectoryEntry[]> {
    try {
      return [...(await this.#world.disk.list(path))];
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(`cannot read ${path}: ${diskReason(error)}`, item.at, item.path);
      return [];
    }
  }

  async #bytes(path: string, from: Place): Promise<Uint8Array | undefined> {
    const { disk } = this.#world;
    try {
      const status = await disk.status(path);
      if (status && status.size > LIMITS.fileBytes) {
        this.#fail(`${path} has ${status.size} bytes, more than ${LIMITS.fileBytes}`, from, path);
        return undefined;
      }
      return await disk.read(path);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(`cannot read ${path}: ${diskReason(error)}`, from, path);
      return undefined;
    }
  }

  #fail(text: string, place: Place, near: string): readonly Item[] {
    this.#errors.push(new ConfigError(text, { place, near }));
    return [];
  }
}

const LEFTOVER = /(?:~|\.bak|\.swp|\.rpmsave|\.rpmnew|\.dpkg-old)$/;
const REMOTE = /^https?:\/\//i;

async function statusOf(disk: ReadableDisk, path: string): Promise<{ readonly kind: string } | string> {
  try {
    return (await disk.status(path)) ?? MISSING;
  } catch (error) {
    if (error instanceof DiskError) return diskReason(error);
    throw error;
  }
}
