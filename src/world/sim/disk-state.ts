import { posix } from 'node:path';
import { DiskError } from '../world.ts';
import type { SimChance } from './chance.ts';

/** A file's bytes twice: as programs see them, and as they are on the platter. */
export class Inode {
  mode: number;
  modified: number;
  /** The user's number. */
  readonly owner: number;
  #now = Buffer.alloc(0);
  #size = 0;
  /** On the platter; undefined stands for an empty file. */
  #kept: Inode | undefined;
  #unsynced: Change[] = [];
  /** Changes synced so far. */
  #synced = 0;

  constructor(mode: number, modified: number, owner = 0) {
    this.mode = mode;
    this.modified = modified;
    this.owner = owner;
  }

  get size(): number {
    return this.#size;
  }

  read(at: number, length: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#now, Math.min(at, this.#size), Math.min(at + length, this.#size));
  }

  write(at: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const copy = Uint8Array.from(bytes);
    this.#apply({ at, bytes: copy });
    this.#unsynced.push({ at, bytes: copy });
  }

  truncate(length: number): void {
    this.#apply({ at: length, bytes: undefined });
    this.#unsynced.push({ at: length, bytes: undefined });
  }

  /** @returns where a sync that begins now ends */
  mark(): number {
    return this.#synced + this.#unsynced.length;
  }

  /** @param upTo a mark: what came later is not synced */
  sync(upTo: number = this.mark()): void {
    this.#kept ??= new Inode(this.mode, this.modified, this.owner);
    const changes = this.#unsynced.splice(0, Math.max(0, upTo - this.#synced));
    this.#synced += changes.length;
    for (const change of changes) this.#kept.#apply(change);
  }

  /**
   * A sync has failed: as Linux does, the pages are forgotten. Programs still read them, a later sync does not know of
   * them, and only some have reached the platter.
   */
  forsake(upTo: number, chance: SimChance): void {
    this.#kept ??= new Inode(this.mode, this.modified, this.owner);
    const changes = this.#unsynced.splice(0, Math.max(0, upTo - this.#synced));
    this.#synced += changes.length;
    for (const change of changes) if (chance.happens(0.5)) this.#kept.#apply(change);
  }

  /**
   * What a power cut leaves: what was synced, and of the rest whatever the disk had come to by chance. The last change
   * may be torn.
   */
  afterCrash(chance: SimChance): Inode {
    const left = new Inode(this.mode, this.modified);
    if (this.#kept) left.write(0, this.#kept.read(0, this.#kept.size));
    left.sync();
    for (const [index, change] of this.#unsynced.entries()) {
      // The kernel writes pages back in no order, so a later change may be there without an earlier one.
      if (!chance.happens(0.5)) continue;
      const torn = index === this.#unsynced.length - 1 && change.bytes && chance.happens(0.5);
      const bytes = torn ? change.bytes?.subarray(0, chance.below(change.bytes.length)) : change.bytes;
      if (bytes) left.write(change.at, bytes);
      else left.truncate(change.at);
    }
    left.sync();
    return left;
  }

  #apply(change: Change): void {
    if (!change.bytes) {
      if (change.at > this.#size) this.#grow(change.at);
      this.#now.fill(0, Math.min(change.at, this.#size), this.#size);
      this.#size = change.at;
      return;
    }
    const end = change.at + change.bytes.length;
    this.#grow(end);
    this.#now.set(change.bytes, change.at);
    if (end > this.#size) this.#size = end;
  }

  #grow(size: number): void {
    if (size <= this.#now.length) return;
    const larger = Buffer.alloc(Math.max(size, this.#now.length * 2, 256));
    larger.set(this.#now.subarray(0, this.#size));
    this.#now = larger;
  }
}

/** @returns an error as the system would give it */
export function failure(code: string, path: string): DiskError {
  return new DiskError(code, path, `${path}: ${code}`);
}

/** Bytes at a place, or without bytes a new length. */
interface Change {
  readonly at: number;
  readonly bytes: Uint8Array | undefined;
}

/** A directory has no inode of its own: it is a name that others may stand below. */
export type Entry =
  | { readonly kind: 'file'; readonly inode: Inode }
  | { readonly kind: 'directory'; readonly mode: number; readonly owner?: number };

/** Names, twice: as programs see them, and as they are on the platter. */
export class Names {
  readonly #now: Map<string, Entry>;
  readonly #kept: Map<string, Entry>;
  /** Each step lasts as a whole or not at all. */
  #unsynced: (readonly Naming[])[] = [];

  constructor(kept: ReadonlyMap<string, Entry> = new Map([['/', { kind: 'directory', mode: 0o755 }]])) {
    this.#now = new Map(kept);
    this.#kept = new Map(kept);
  }

  get(path: string): Entry | undefined {
    return this.#now.get(path);
  }

  /** Changes names in one step, as a rename does. */
  set(...step: readonly Naming[]): void {
    put(this.#now, step);
    this.#unsynced.push(step);
  }

  /** Makes all changes of names directly in that directory last. */
  sync(directory: string): void {
    this.#unsynced = this.#unsynced.filter((step) => {
      const here = step.some(([path]) => posix.dirname(path) === directory);
      if (here) put(this.#kept, step);
      return !here;
    });
  }

  /** @returns names directly below, in order */
  below(directory: string): string[] {
    const names: string[] = [];
    for (const path of this.#now.keys())
      if (path !== '/' && posix.dirname(path) === directory) names.push(posix.basename(path));
    return names.sort();
  }

  [Symbol.iterator](): IterableIterator<[string, Entry]> {
    return this.#now.entries();
  }

  /** What a power cut leaves. A journal keeps the order of changes, so some of the first unsynced ones are there. */
  afterCrash(chance: SimChance): Names {
    const kept = new Map(this.#kept);
    const reached = chance.below(this.#unsynced.length + 1);
    for (const step of this.#unsynced.slice(0, reached)) put(kept, step);
    const left = new Map<Inode, Entry>();
    const names = new Names(new Map());
    for (const [path, entry] of [...kept].sort(([one], [other]) => (one < other ? -1 : 1))) {
      // What stands in a directory that was lost is lost with it.
      if (path !== '/' && names.get(posix.dirname(path))?.kind !== 'directory') continue;
      if (entry.kind === 'directory') names.#adopt(path, entry);
      else {
        const inode: Entry = left.get(entry.inode) ?? { kind: 'file', inode: entry.inode.afterCrash(chance) };
        left.set(entry.inode, inode);
        names.#adopt(path, inode);
      }
    }
    return names;
  }

  #adopt(path: string, entry: Entry): void {
    this.#now.set(path, entry);
    this.#kept.set(path, entry);
  }
}

/** A name and what it means from now on: undefined when it is gone. */
type Naming = readonly [path: string, entry: Entry | undefined];

function put(names: Map<string, Entry>, step: readonly Naming[]): void {
  for (const [path, entry] of step) {
    if (entry) names.set(path, entry);
    else names.delete(path);
  }
}
