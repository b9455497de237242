import { posix } from 'node:path';
import { millis } from '../../base/index.ts';
import { type DirectoryEntry, type Disk, DiskError, type DiskFile, type FileStatus } from '../world.ts';
import type { SimChance } from './chance.ts';
import type { SimClock } from './clock.ts';
import { type Entry, failure, Inode, Names } from './disk-state.ts';
import { type Platter, SimFile } from './file.ts';

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'close'
  | 'replace'
  | 'list'
  | 'status'
  | 'writable'
  | 'makeDirectory'
  | 'syncDirectory'
  | 'rename'
  | 'remove'
  | 'free'
  | 'lock';

/** Which operations go wrong. What is not given does not matter. */
export interface DiskFault {
  readonly operation?: DiskOperation | readonly DiskOperation[];
  /** A part of the path, or a pattern. */
  readonly path?: string | RegExp;
  /** So many matching operations go well first; 0 by default. */
  readonly after?: number;
  /** So many go wrong; all by default. */
  readonly times?: number;
}

export interface SimDiskSettings {
  /** Bytes that all files together may have. */
  capacity: number;
  /** Milliseconds that a write or a sync takes, always or by chance from a range. With 0 nothing waits for the clock. */
  latencyMillis: number | readonly [number, number];
  /** The same for everything else: opening, reading, names. */
  shortMillis: number | readonly [number, number];
}

/** A file system in memory that forgets what was not synced when the power is cut. */
export class SimDisk implements Disk, Platter {
  /** May be changed at any time. */
  readonly settings: SimDiskSettings;
  readonly #clock: SimClock;
  readonly #chance: SimChance;
  readonly #names: Names;
  readonly #faults: { fault: DiskFault; code: string; passed: number; failed: number }[] = [];
  readonly #locks = new Set<string>();
  #dead = false;
  /** The user in whose name things are made: 0 is root. */
  owner = 0;
  /** Operations done, by kind: tests count syncs. */
  readonly done = new Map<DiskOperation, number>();

  constructor(clock: SimClock, chance: SimChance, settings: Partial<SimDiskSettings> = {}, names: Names = new Names()) {
    this.#clock = clock;
    this.#chance = chance;
    this.settings = { capacity: Number.POSITIVE_INFINITY, latencyMillis: 0, shortMillis: 0, ...settings };
    this.#names = names;
  }

  async open(path: string, how: 'read' | 'append' | 'create', mode = 0o640): Promise<DiskFile> {
    const at = this.#enter('open', path);
    const entry = this.#names.get(at);
    if (entry?.kind === 'directory') throw failure('EISDIR', path);
    if (entry && how === 'create') throw failure('EEXIST', path);
    if (!entry && how === 'read') throw failure('ENOENT', path);
    const inode = entry?.inode ?? this.#make(at, mode);
    await this.passShort();
    return new SimFile(this, path, inode);
  }

  async read(path: string): Promise<Uint8Array> {
    const { inode } = this.#file('read', path);
    await this.passShort();
    return inode.read(0, inode.size);
  }

  async replace(path: string, bytes: Uint8Array, mode = 0o640): Promise<void> {
    const at = this.#enter('replace', path);
    const old = this.#names.get(at);
    if (old?.kind === 'directory') throw failure('EISDIR', path);
    this.#directory(posix.dirname(at), path);
    if (this.#used() + bytes.length > this.settings.capacity) throw failure('ENOSPC', path);
    const inode = new Inode(old?.inode.mode ?? mode, this.#clock.date(), old?.inode.owner ?? this.owner);
    inode.write(0, bytes);
    inode.sync();
    this.#names.set([at, { kind: 'file', inode }]);
    await this.pass();
    this.alive(path);
    this.#names.sync(posix.dirname(at));
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    const at = this.#enter('list', path);
    this.#directory(at, path);
    await this.passShort();
    return this.#names
      .below(at)
      .map((name) => ({ name, kind: this.#names.get(posix.join(at, name))?.kind ?? 'other' }));
  }

  async status(path: string): Promise<FileStatus | undefined> {
    // There are no links here: whether they are followed makes no difference.
    const at = this.#enter('status', path);
    await this.passShort();
    const entry = this.#names.get(at);
    if (!entry) return undefined;
    if (entry.kind === 'directory')
      return {
        kind: 'directory',
        size: 0,
        modified: this.#clock.date(),
        mode: entry.mode,
        owner: entry.owner ?? 0,
        device: 1,
      };
    const { size, modified, mode, owner } = entry.inode;
    return { kind: 'file', size, modified: millis(modified), mode, owner, device: 1 };
  }

  /** By the permission bits: a file or a directory that nobody may write is closed to this process too. */
  async writable(path: string): Promise<boolean> {
    const at = this.#enter('writable', path);
    await this.passShort();
    const modeOf = (entry: Entry): number => (entry.kind === 'file' ? entry.inode.mode : entry.mode);
    const entry = this.#names.get(at);
    const directory = this.#names.get(posix.dirname(at));
    if (directory?.kind !== 'directory' || (modeOf(directory) & 0o222) === 0) return false;
    return entry === undefined || (modeOf(entry) & 0o222) !== 0;
  }

  async makeDirectory(path: string, mode = 0o750): Promise<void> {
    const at = this.#enter('makeDirectory', path);
    let made = '/';
    for (const part of at.split('/')) {
      made = posix.join(made, part);
      const entry = this.#names.get(made);
      if (entry?.kind === 'file') throw failure(made === at ? 'EEXIST' : 'ENOTDIR', path);
      if (!entry) this.#names.set([made, { kind: 'directory', mode, owner: this.owner }]);
    }
    await this.passShort();
  }

  async syncDirectory(path: string): Promise<void> {
    const at = this.#enter('syncDirectory', path);
    this.#directory(at, path);
    await this.pass();
    this.alive(path);
    this.#names.sync(at);
  }

  async rename(from: string, to: string): Promise<void> {
    const [here, there] = [this.#enter('rename', from), resolved(to)];
    const entry = this.#names.get(here);
    if (!entry) throw failure('ENOENT', from);
    this.#directory(posix.dirname(there), to);
    if (this.#names.get(there)?.kind === 'directory') throw failure('EISDIR', to);
    if (here === there) return;
    const moved = [...this.#names].filter(([path]) => path === here || path.startsWith(`${here}/`));
    this.#names.set(
      ...moved.map(([path]) => [path, undefined] as const),
      ...moved.map(([path, each]) => [there + path.slice(here.length), each] as const),
    );
    await this.passShort();
  }

  async remove(path: string): Promise<void> {
    const at = this.#enter('remove', path);
    const entry = this.#names.get(at);
    if (!entry) throw failure('ENOENT', path);
    if (entry.kind === 'directory' && this.#names.below(at).length > 0) throw failure('ENOTEMPTY', path);
    this.#names.set([at, undefined]);
    await this.passShort();
  }

  async free(path: string): Promise<number> {
    this.#enter('free', path);
    await this.passShort();
    return Math.max(0, this.settings.capacity - this.#used());
  }

  async lock(path: string): Promise<AsyncDisposable> {
    const at = this.#enter('lock', path);
    this.#directory(posix.dirname(at), path);
    if (this.#locks.has(at)) throw new DiskError('ELOCKED', path, `${path} is locked by another process`);
    if (!this.#names.get(at)) this.#make(at, 0o640);
    this.#locks.add(at);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#locks.delete(at);
      },
    };
  }

  /** From now on matching operations go wrong with `code`. @returns dispose it to repair the disk */
  fail(fault: DiskFault, code = 'EIO'): Disposable {
    const rule = { fault, code, passed: 0, failed: 0 };
    this.#faults.push(rule);
    return {
      [Symbol.dispose]: () => {
        const index = this.#faults.indexOf(rule);
        if (index !== -1) this.#faults.splice(index, 1);
      },
    };
  }

  /**
   * The power is cut. @returns the disk as it comes back: with all that was synced, and by chance some of the rest.
   * This one is dead: whoever still works on it gets EIO, and the locks are gone.
   */
  crash(): SimDisk {
    this.#dead = true;
    return new SimDisk(this.#clock, this.#chance, this.settings, this.#names.afterCrash(this.#chance));
  }

  /** Puts a durable file there, with its directories, at once. */
  put(path: string, text: string | Uint8Array, mode = 0o640): void {
    const at = resolved(path);
    let made = '/';
    for (const part of posix.dirname(at).split('/')) {
      made = posix.join(made, part);
      if (!this.#names.get(made)) this.#names.set([made, { kind: 'directory', mode: 0o750 }]);
      this.#names.sync(posix.dirname(made));
    }
    const inode = new Inode(mode, this.#clock.date(), this.owner);
    inode.write(0, typeof text === 'string' ? Buffer.from(text) : text);
    inode.sync();
    this.#names.set([at, { kind: 'file', inode }]);
    this.#names.sync(posix.dirname(at));
  }

  /** @returns what programs would read there, undefined when there is no file */
  text(path: string): string | undefined {
    const entry = this.#names.get(resolved(path));
    return entry?.kind === 'file' ? Buffer.from(entry.inode.read(0, entry.inode.size)).toString('latin1') : undefined;
  }

  /** @returns the paths of all files, in order */
  files(): string[] {
    return [...this.#names]
      .filter(([, entry]) => entry.kind === 'file')
      .map(([path]) => path)
      .sort();
  }

  /** For files only: an operation begins. @throws DiskError when it is to go wrong */
  begin(operation: DiskOperation, path: string): void {
    this.#enter(operation, path);
  }

  /** For files only. @throws DiskError when the power was cut meanwhile */
  alive(path: string): void {
    if (this.#dead) throw failure('EIO', path);
  }

  /** For files only: the time that the platter takes. */
  pass(): Promise<void> {
    return this.#after(this.#delay(this.settings.latencyMillis)) ?? Promise.resolve();
  }

  /** For files only. @returns undefined when it takes no time */
  passShort(): Promise<void> | undefined {
    return this.#after(this.#delay(this.settings.shortMillis));
  }

  /** For files only. */
  forsake(inode: Inode, upTo: number): void {
    inode.forsake(upTo, this.#chance);
  }

  #delay(setting: SimDiskSettings['latencyMillis']): number {
    if (typeof setting === 'number') return setting;
    return setting[0] + this.#chance.next() * (setting[1] - setting[0]);
  }

  #after(delay: number): Promise<void> | undefined {
    if (delay <= 0) return undefined;
    return new Promise((resolve) => this.#clock.at(millis(this.#clock.now() + delay), resolve));
  }

  /** For files only. @returns how many bytes of a write go to the platter, and with which code it fails */
  room(
    path: string,
    inode: Inode,
    at: number,
    length: number,
  ): { readonly fits: number; readonly code: string | undefined } {
    const code = this.#fault('write', path);
    if (code !== undefined) return { fits: this.#chance.below(length + 1), code };
    const growth = Math.max(0, at + length - inode.size);
    const free = Math.max(0, this.settings.capacity - this.#used());
    return growth <= free ? { fits: length, code: undefined } : { fits: length - (growth - free), code: 'ENOSPC' };
  }

  /** For files only. */
  touched(inode: Inode): void {
    inode.modified = this.#clock.date();
  }

  #enter(operation: DiskOperation, path: string): string {
    this.alive(path);
    const code = this.#fault(operation, path);
    if (code !== undefined) throw failure(code, path);
    this.done.set(operation, (this.done.get(operation) ?? 0) + 1);
    return resolved(path);
  }

  #fault(operation: DiskOperation, path: string): string | undefined {
    if (this.#dead) return 'EIO';
    for (const rule of this.#faults) {
      const { fault } = rule;
      const kinds = fault.operation === undefined ? undefined : [fault.operation].flat();
      if (kinds && !kinds.includes(operation)) continue;
      if (
        fault.path !== undefined &&
        !(typeof fault.path === 'string' ? path.includes(fault.path) : fault.path.test(path))
      )
        continue;
      if (rule.passed++ < (fault.after ?? 0) || rule.failed >= (fault.times ?? Number.POSITIVE_INFINITY)) continue;
      rule.failed++;
      return rule.code;
    }
    return undefined;
  }

  #file(operation: DiskOperation, path: string): Entry & { readonly kind: 'file' } {
    const entry = this.#names.get(this.#enter(operation, path));
    if (!entry) throw failure('ENOENT', path);
    if (entry.kind === 'directory') throw failure('EISDIR', path);
    return entry;
  }

  #directory(at: string, path: string): void {
    const entry = this.#names.get(at);
    if (!entry) throw failure('ENOENT', path);
    if (entry.kind !== 'directory') throw failure('ENOTDIR', path);
  }

  #make(at: string, mode: number): Inode {
    this.#directory(posix.dirname(at), at);
    const inode = new Inode(mode, this.#clock.date(), this.owner);
    this.#names.set([at, { kind: 'file', inode }]);
    return inode;
  }

  #used(): number {
    if (this.settings.capacity === Number.POSITIVE_INFINITY) return 0;
    const inodes = new Set<Inode>();
    for (const [, entry] of this.#names) if (entry.kind === 'file') inodes.add(entry.inode);
    let sum = 0;
    for (const inode of inodes) sum += inode.size;
    return sum;
  }
}

/** Paths are as on the machine; what is relative starts at the root. */
function resolved(path: string): string {
  return posix.resolve('/', path);
}
