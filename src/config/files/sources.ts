import { isUtf8 } from 'node:buffer';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { type DirectoryEntry, type Disk, DiskError } from '../../world/index.ts';
import { ConfigError, ConfigErrors, Notice } from '../errors.ts';
import type { Place } from '../option.ts';
import { parse } from '../text/grammar.ts';
import { type Budget, type IncludeItem, type Item, LIMITS } from '../text/items.ts';

/** A file that was read. */
export interface SourceFile {
  readonly path: string;
  /** Reached by `readonly_include`, or more than once: the console changes nothing in it. */
  readonly readOnly: boolean;
}

export interface Sources {
  readonly main: string;
  readonly items: readonly Item[];
  readonly included: ReadonlyMap<IncludeItem, readonly Item[]>;
  readonly files: readonly SourceFile[];
}

/**
 * @returns the first `impetus.conf` or `ecelerity.conf` on the search path
 * @throws ConfigErrors when a directory cannot be looked into: the file that counts may be there
 */
export async function findMainFile(disk: Disk, directories: readonly string[]): Promise<string | undefined> {
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

/**
 * Reads and parses a main file and all that it includes.
 *
 * @param errors where errors of all files are added
 * @throws ConfigErrors with the reason `not found` when there is no main file
 */
export async function readSources(
  disk: Disk,
  main: string,
  directories: readonly string[],
  errors: ConfigError[],
  notices: Notice[],
): Promise<Sources> {
  const status = await statusOf(disk, main);
  if (typeof status === 'string')
    throw new ConfigErrors([new ConfigError(`cannot read ${main}: ${status}`)], 'not found');
  // A device has no end, and nobody may be at the other one of a pipe.
  if (status.kind === 'socket' || status.kind === 'other')
    throw new ConfigErrors([new ConfigError(`cannot read ${main}: it is no file`)]);
  const reader = new Reader(disk, directories, errors, notices);
  const items = await reader.file(normalize(main), { file: main, line: 1, column: 1 }, false, []);
  return { main, items, included: reader.included, files: reader.files() };
}

class Reader {
  readonly #disk: Disk;
  readonly #directories: readonly string[];
  readonly #errors: ConfigError[];
  readonly #notices: Notice[];
  readonly #budget: Budget = { items: 0 };
  /** Parsed once, however often it is included. */
  readonly #read = new Map<string, { readonly items: readonly Item[]; readOnly: boolean }>();
  readonly included = new Map<IncludeItem, readonly Item[]>();

  constructor(disk: Disk, directories: readonly string[], errors: ConfigError[], notices: Notice[]) {
    this.#disk = disk;
    this.#directories = directories;
    this.#errors = errors;
    this.#notices = notices;
  }

  files(): readonly SourceFile[] {
    return [...this.#read].map(([path, { readOnly }]) => ({ path, readOnly }));
  }

  /** @param inside the files whose including has led here */
  async file(path: string, from: Place, readOnly: boolean, inside: readonly string[]): Promise<readonly Item[]> {
    if (inside.includes(path))
      return this.#fail(`'${path}' includes itself: ${[...inside, path].join(' → ')}`, from, path);
    if (inside.length > LIMITS.includeDepth)
      return this.#fail(`more than ${LIMITS.includeDepth} files included inside each other`, from, path);
    const before = this.#read.get(path);
    if (before) {
      before.readOnly = true;
      return before.items;
    }
    const text = await this.#text(path, from);
    if (text === undefined) return [];
    const items = parse(text, path, this.#errors, this.#budget);
    this.#read.set(path, { items, readOnly });
    for (const item of includesIn(items)) {
      this.included.set(item, await this.#include(item, path, [...inside, path]));
    }
    return items;
  }

  async #include(item: IncludeItem, from: string, inside: readonly string[]): Promise<readonly Item[]> {
    const target = this.#target(item);
    if (target === undefined) return [];
    for (const path of isAbsolute(target)
      ? [target]
      : [dirname(from), ...this.#directories].map((directory) => join(directory, target))) {
      const status = await statusOf(this.#disk, path);
      if (status === MISSING) continue;
      if (typeof status === 'string') return this.#fail(`failed to stat '${path}': ${status}`, item.at, item.path);
      if (status.kind === 'file') return this.file(normalize(path), item.at, item.readOnly, inside);
      if (status.kind === 'directory') return this.#directory(path, item, inside);
      return this.#fail(`'${path}' is neither a file nor a directory`, item.at, item.path);
    }
    return this.#fail(`failed to stat '${item.path}': ${MISSING}`, item.at, item.path);
  }

  #target(item: IncludeItem): string | undefined {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(item.path)?.[1]?.toLowerCase();
    if (scheme === undefined) return item.path;
    if (scheme === 'file') return item.path.slice('file://'.length);
    const known = scheme === 'http' || scheme === 'https' || scheme === 'persist';
    this.#fail(
      known
        ? `'${item.path}': files from elsewhere are not read`
        : `'${item.path}': the scheme ${scheme} is not supported`,
      item.at,
      item.path,
    );
    return undefined;
  }

  async #directory(path: string, item: IncludeItem, inside: readonly string[]): Promise<readonly Item[]> {
    const items: Item[] = [];
    const names = (await this.#list(path, item))
      .filter((entry) => entry.kind === 'file' && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
    // By code unit, as sort() does: the order must not depend on somebody's locale.
    for (const name of names.sort()) {
      const file = normalize(join(path, name));
      if (LEFTOVER.test(name))
        this.#notices.push(
          new Notice('warning', item.at, `${file} looks like a leftover of an editor or a package, and was not read`),
        );
      else for (const each of await this.file(file, item.at, item.readOnly, inside)) items.push(each);
    }
    return items;
  }

  async #list(path: string, item: IncludeItem): Promise<readonly DirectoryEntry[]> {
    try {
      return await this.#disk.list(path);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(`cannot read ${path}: ${diskReason(error)}`, item.at, item.path);
      return [];
    }
  }

  async #text(path: string, from: Place): Promise<string | undefined> {
    try {
      const status = await this.#disk.status(path);
      if (status && status.size > LIMITS.fileBytes) {
        this.#fail(`${path} has ${status.size} bytes, more than ${LIMITS.fileBytes}`, from, path);
        return undefined;
      }
      const bytes = await this.#disk.read(path);
      if (!isUtf8(bytes)) this.#badBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), path);
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(`cannot read ${path}: ${diskReason(error)}`, from, path);
      return undefined;
    }
  }

  /** One error for each line that is not UTF-8. */
  #badBytes(bytes: Buffer, path: string): void {
    let found = 0;
    for (let from = 0, line = 1; from < bytes.length && found < 100; line++) {
      const end = bytes.indexOf(0x0a, from);
      const row = bytes.subarray(from, end === -1 ? bytes.length : end);
      if (!isUtf8(row)) {
        const column = new TextDecoder('utf-8', { ignoreBOM: true }).decode(row).indexOf('\ufffd') + 1;
        this.#fail('this line is not UTF-8', { file: path, line, column }, '');
        found++;
      }
      if (end === -1) break;
      from = end + 1;
    }
  }

  #fail(text: string, place: Place, near: string): readonly Item[] {
    this.#errors.push(new ConfigError(text, { place, near }));
    return [];
  }
}

const MISSING = 'no such file or directory';
const LEFTOVER = /(?:~|\.bak|\.swp|\.rpmsave|\.rpmnew|\.dpkg-old)$/;
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', MISSING],
  ['ENOTDIR', MISSING],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a directory'],
]);

async function statusOf(disk: Disk, path: string): Promise<{ readonly kind: string } | string> {
  try {
    return (await disk.status(path)) ?? MISSING;
  } catch (error) {
    if (error instanceof DiskError) return diskReason(error);
    throw error;
  }
}

/** In words, where we have them. */
export function diskReason(error: DiskError): string {
  return REASONS.get(error.code) ?? error.code;
}

function includesIn(items: readonly Item[], into: IncludeItem[] = []): readonly IncludeItem[] {
  for (const item of items) {
    if (item.kind === 'include') into.push(item);
    else if (item.kind === 'stanza') includesIn(item.items, into);
  }
  return into;
}
