import { type Disk, DiskError, type FileStatus } from '../world/index.ts';

/** The system's words without its path, which is said anyway. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'no such folder'],
]);

/** A file as it was read last. */
interface Kept {
  bytes: Uint8Array | undefined;
  /** Counts what was read: a context knows of which reading it was made. */
  version: number;
  stamp: string;
  /** Why the last look brought nothing new; undefined when it did, or nothing was new. */
  trouble: string | undefined;
}

/** Files in memory. What cannot be read any more stays as it was. */
export class TlsFiles {
  readonly #disk: Pick<Disk, 'read' | 'status'>;
  readonly #kept = new Map<string, Kept>();

  constructor(disk: Pick<Disk, 'read' | 'status'>) {
    this.#disk = disk;
  }

  /** @returns undefined when it was never read */
  bytes(path: string): Uint8Array | undefined {
    return this.#kept.get(path)?.bytes;
  }

  /** Grows when any of the files has been read anew. */
  version(paths: readonly string[]): number {
    let sum = 0;
    for (const path of paths) sum += this.#kept.get(path)?.version ?? 0;
    return sum;
  }

  /**
   * Reads a file if it is new or has changed.
   *
   * @returns what an operator should know: undefined when there is nothing, or nothing that was not said before
   */
  async look(path: string): Promise<string | undefined> {
    const kept = this.#kept.get(path) ?? { bytes: undefined, version: 0, stamp: '', trouble: undefined };
    this.#kept.set(path, kept);
    const before = kept.trouble;
    try {
      const status = await this.#disk.status(path);
      const stamp = stampOf(status);
      if (status !== undefined && stamp === kept.stamp) {
        kept.trouble = undefined;
        return undefined;
      }
      kept.bytes = await this.#disk.read(path);
      kept.version += 1;
      kept.stamp = stamp;
      kept.trouble = undefined;
      return undefined;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      kept.trouble = `cannot read ${path}: ${WORDS.get(error.code) ?? error.code}`;
      return kept.trouble === before ? undefined : kept.trouble;
    }
  }

  /** Reads it whatever it looks like. @returns why it cannot be read */
  async read(path: string): Promise<string | undefined> {
    const kept = this.#kept.get(path);
    if (kept !== undefined) {
      kept.stamp = '';
      kept.trouble = undefined;
    }
    return this.look(path);
  }
}

const stampOf = (status: FileStatus | undefined): string =>
  status === undefined ? '' : `${status.modified} ${status.size}`;
