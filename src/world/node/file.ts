import * as fs from 'node:fs';
import type { Segments } from '../../base/index.ts';
import { DiskError, type DiskFile } from '../world.ts';
import { diskError } from './disk-error.ts';

/** An open file of the system. Callbacks, not promises, below: the spool comes here with every batch. */
export class NodeFile implements DiskFile {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: number;
  /** The kernel places what is written without a position (O_APPEND), and ignores positions (Linux, pwrite(2)). */
  readonly #appends: boolean;
  /** A second descriptor without O_APPEND, opened by the first write at a position. */
  #positioned: number | undefined;
  #end: number;
  #open = true;

  static open(path: string, flags: number, mode: number): Promise<NodeFile> {
    return new Promise((resolve, reject) => {
      fs.open(path, flags, mode, (error, descriptor) => {
        if (error) return reject(diskError(path, error));
        fs.fstat(descriptor, (trouble, status) => {
          const wrong =
            trouble ?? (status.isDirectory() ? new DiskError('EISDIR', path, `${path} is a directory`) : undefined);
          if (!wrong) return resolve(new NodeFile(path, descriptor, flags, status.size));
          fs.close(descriptor, () => reject(diskError(path, wrong)));
        });
      });
    });
  }

  constructor(path: string, descriptor: number, flags: number, size: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#appends = (flags & fs.constants.O_APPEND) !== 0;
    this.size = size;
    this.#end = size;
  }

  write(bytes: Segments, at?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (at !== undefined && this.#appends) {
        this.#openPositioned((error, descriptor) => {
          if (error) reject(diskError(this.#path, error));
          else this.#writeAll(descriptor, bytes, at, resolve, reject);
        });
        return;
      }
      this.#writeAll(this.#descriptor, bytes, this.#appends ? null : (at ?? this.#end), resolve, reject);
    });
  }

  sync(): Promise<void> {
    return this.#call((done) => fs.fdatasync(this.#descriptor, done));
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      // Not from the shared pool: the reader may keep a small part for long, or give the whole away.
      const bytes = Buffer.allocUnsafeSlow(length);
      const readOn = (have: number): void => {
        fs.read(this.#descriptor, bytes, have, length - have, at + have, (error, count) => {
          if (error) reject(diskError(this.#path, error));
          else if (count === 0 || have + count === length) resolve(bytes.subarray(0, have + count));
          else readOn(have + count);
        });
      };
      if (length === 0) resolve(bytes);
      else readOn(0);
    });
  }

  truncate(length: number): Promise<void> {
    return this.#call((done) => {
      fs.ftruncate(this.#descriptor, length, (error) => {
        if (!error) this.#end = length;
        done(error);
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const positioned = this.#positioned;
    if (positioned !== undefined) await this.#call((done) => fs.close(positioned, done));
    await this.#call((done) => fs.close(this.#descriptor, done));
  }

  #call(start: (done: (error: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      start((error) => {
        if (error) reject(diskError(this.#path, error));
        else resolve();
      });
    });
  }

  #openPositioned(done: (error: Error | null, descriptor: number) => void): void {
    // Elsewhere than on Linux a position counts even with O_APPEND, as POSIX wants it.
    if (process.platform !== 'linux') return done(null, this.#descriptor);
    if (this.#positioned !== undefined) return done(null, this.#positioned);
    // By way of /proc it is this very file, even when its name was given to another one meanwhile.
    fs.open(`/proc/self/fd/${this.#descriptor}`, fs.constants.O_RDWR, (error, descriptor) => {
      if (!error) this.#positioned = descriptor;
      done(error, descriptor);
    });
  }

  /** @param at null leaves the place to the kernel */
  #writeAll(
    descriptor: number,
    bytes: Segments,
    at: number | null,
    resolve: () => void,
    reject: (why: Error) => void,
  ): void {
    let rest = bytes;
    let position = at;
    const wrote = (error: Error | null, count: number): void => {
      if (error) return reject(diskError(this.#path, error));
      if (position !== null) {
        position += count;
        if (position > this.#end) this.#end = position;
      }
      rest = behind(rest, count);
      if (rest.length === 0) resolve();
      // A disk that takes nothing and reports nothing would keep us here for ever.
      else if (count === 0) reject(new DiskError('EIO', this.#path, `${this.#path}: nothing could be written`));
      else next();
    };
    const next = (): void => {
      const first = rest[0];
      if (first === undefined) return resolve();
      if (rest.length === 1) fs.write(descriptor, first, 0, first.length, position, wrote);
      else if (rest.length <= MOST_VIEWS) fs.writev(descriptor, rest, position, wrote);
      else fs.writev(descriptor, rest.slice(0, MOST_VIEWS), position, wrote);
    };
    rest = behind(rest, 0);
    next();
  }
}

/** IOV_MAX of Linux. */
const MOST_VIEWS = 1024;

/** @returns what is left of a chain when `count` bytes of it are done, without empty views in front */
function behind(bytes: Segments, count: number): Segments {
  let left = count;
  for (let index = 0; index < bytes.length; index++) {
    const view = bytes[index];
    if (view === undefined || view.length <= left) {
      left -= view?.length ?? 0;
      continue;
    }
    if (left === 0) return index === 0 ? bytes : bytes.slice(index);
    return [view.subarray(left), ...bytes.slice(index + 1)];
  }
  return [];
}
