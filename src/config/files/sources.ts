import { isUtf8 } from 'node:buffer';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { type DirectoryEntry, type Disk, DiskError, type Slices } from '../../world/index.ts';
import { ConfigError, ConfigErrors, Notice } from '../errors.ts';
import type { Place } from '../option.ts';
import { Parsing } from '../text/grammar.ts';
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
 * @param slices how long work gives way to other things
 * @throws ConfigErrors with the reason `not found` when there is no main file
 */
export async function readSources(
  disk: Disk,
  main: string,
  directories: readonly string[],
  errors: ConfigError[],
  notices: Notice[],
  slices: Slices,
): Promise<Sources> {
  const status = await statusOf(disk, main);
  if (typeof status === 'string')
    throw new ConfigErrors([new ConfigError(`cannot read ${main}: ${status}`)], 'not found');
  const reader = new Reader(disk, directories, errors, notices, slices);
  const items = await reader.file(normalize(main), { file: main, line: 1, column: 1 }, false, []);
  return { main, items, included: reader.included, files: reader.files() };
}

class Reader {
  readonly #disk: Disk;
  readonly #directories: readonly string[];
  readonly #errors: ConfigError[];
  readonly #notices: Notice[];
  readonly #slices: Slices;
  readonly #budget: Budget = { items: 0 };
  /** Parsed once, however often it is included. */
  readonly #read = new Map<string, { readonly items: readonly Item[]; readOnly: boolean }>();
  readonly included = new Map<IncludeItem, readonly Item[]>();

  constructor(disk: Disk, directories: readonly string[], errors: ConfigError[], notices: Notice[], slices: Slices) {
    this.#disk = disk;
    this.#directories = directories;
    this.#errors = errors;
    this.#notices = notices;
    this.#slices = slices;
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
    const parsing = new Parsing(text, path, this.#errors, this.#budget);
    await this.#slices.run(() => parsing.step());
    const { items } = parsing;
    this.#read.set(path, { items, readOnly });
    for (const item of parsing.includes) {
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
      this.#fail(`cannot read ${path}: ${reason(error)}`, item.at, item.path);
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
      return await this.#decoded(bytes);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(`cannot read ${path}: ${reason(error)}`, from, path);
      return undefined;
    }
  }

  /** Big files in pieces: ten megabytes cost ten milliseconds. */
  async #decoded(bytes: Uint8Array): Promise<string> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    if (bytes.length <= PIECE) return decoder.decode(bytes);
    const pieces: string[] = [];
    for (let at = 0; at < bytes.length; at += PIECE) {
      pieces.push(decoder.decode(bytes.subarray(at, at + PIECE), { stream: true }));
      if (this.#slices.due) await this.#slices.pause();
    }
    return pieces.join('') + decoder.decode();
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

const PIECE = 4 * 1024 * 1024;
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
    if (error instanceof DiskError) return reason(error);
    throw error;
  }
}

function reason(error: DiskError): string {
  return REASONS.get(error.code) ?? error.code;
}
