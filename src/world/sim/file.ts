import { bytesIn, joined, type Segments } from '../../base/index.ts';
import type { DiskFile } from '../world.ts';
import { failure, type Inode } from './disk-state.ts';

/** The disk, as its files need it. */
export interface Platter {
  /** An operation begins. @throws DiskError when it is to go wrong */
  begin(operation: 'sync' | 'read' | 'truncate' | 'close', path: string): void;
  /** @returns how many bytes of a write get there, and with which code it fails */
  room(
    path: string,
    inode: Inode,
    at: number,
    length: number,
  ): { readonly fits: number; readonly code: string | undefined };
  /** The file has been written to. */
  touched(inode: Inode): void;
  /** The time that a write or a sync takes, and that everything else does. */
  pass(): Promise<void>;
  passShort(): Promise<void> | undefined;
  /** A sync up to that mark has failed. */
  forsake(inode: Inode, upTo: number): void;
  /** @throws DiskError when the power was cut meanwhile */
  alive(path: string): void;
}

/** An open file of a simulated disk. It outlives its name, as files do. */
export class SimFile implements DiskFile {
  readonly size: number;
  readonly #disk: Platter;
  readonly #path: string;
  readonly #inode: Inode;
  #open = true;

  constructor(disk: Platter, path: string, inode: Inode) {
    this.#disk = disk;
    this.#path = path;
    this.#inode = inode;
    this.size = inode.size;
  }

  async write(bytes: Segments, at?: number): Promise<void> {
    this.#mustBeOpen();
    const length = bytesIn(bytes);
    const place = at ?? this.#inode.size;
    const { fits, code } = this.#disk.room(this.#path, this.#inode, place, length);
    this.#inode.write(place, joined(bytes).subarray(0, fits));
    this.#disk.touched(this.#inode);
    await this.#disk.pass();
    if (code !== undefined) throw failure(code, this.#path);
  }

  async sync(): Promise<void> {
    this.#mustBeOpen();
    const trouble = this.#trouble();
    // Only what was written before the call: what comes during the sync may have to wait for the next one.
    const synced = this.#inode.mark();
    await this.#disk.pass();
    this.#disk.alive(this.#path);
    if (trouble !== undefined) {
      this.#disk.forsake(this.#inode, synced);
      throw trouble;
    }
    this.#inode.sync(synced);
  }

  async read(at: number, length: number): Promise<Uint8Array> {
    this.#mustBeOpen();
    this.#disk.begin('read', this.#path);
    await this.#disk.passShort();
    return this.#inode.read(at, length);
  }

  async truncate(length: number): Promise<void> {
    this.#mustBeOpen();
    this.#disk.begin('truncate', this.#path);
    this.#inode.truncate(length);
    await this.#disk.passShort();
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#disk.begin('close', this.#path);
  }

  /** @returns why this sync is to go wrong, if it is */
  #trouble(): unknown {
    try {
      this.#disk.begin('sync', this.#path);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #mustBeOpen(): void {
    if (!this.#open) throw failure('EBADF', this.#path);
  }
}
