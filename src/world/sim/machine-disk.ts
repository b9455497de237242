import type { Segments } from '../../base/index.ts';
import type { DirectoryEntry, Disk, DiskFile, FileStatus } from '../world.ts';
import type { DiskOperation, SimDisk } from './disk.ts';
import type { Life } from './life.ts';

/** Sees what a machine does with its disk. `began` may end its life: then the operation is never done. */
export interface DiskWatch {
  began(operation: DiskOperation, path: string): void;
  ended(operation: DiskOperation, path: string, trouble: unknown): void;
}

/** The disk as one simulated process sees it: when the process dies, what is under way is never answered. */
export class MachineDisk implements Disk {
  readonly #disk: SimDisk;
  readonly #life: Life;
  readonly #watch: DiskWatch | undefined;
  readonly #locks = new Set<AsyncDisposable>();

  constructor(disk: SimDisk, life: Life, watch: DiskWatch | undefined) {
    this.#disk = disk;
    this.#life = life;
    this.#watch = watch;
  }

  async open(path: string, how: 'read' | 'append' | 'create', mode?: number): Promise<DiskFile> {
    const file = await this.run('open', path, () => this.#disk.open(path, how, mode));
    return new MachineFile(this, path, file);
  }

  read(path: string): Promise<Uint8Array> {
    return this.run('read', path, () => this.#disk.read(path));
  }

  replace(path: string, bytes: Uint8Array, mode?: number): Promise<void> {
    return this.run('replace', path, () => this.#disk.replace(path, bytes, mode));
  }

  list(path: string): Promise<readonly DirectoryEntry[]> {
    return this.run('list', path, () => this.#disk.list(path));
  }

  status(path: string): Promise<FileStatus | undefined> {
    return this.run('status', path, () => this.#disk.status(path));
  }

  writable(path: string): Promise<boolean> {
    return this.run('writable', path, () => this.#disk.writable(path));
  }

  makeDirectory(path: string, mode?: number): Promise<void> {
    return this.run('makeDirectory', path, () => this.#disk.makeDirectory(path, mode));
  }

  syncDirectory(path: string): Promise<void> {
    return this.run('syncDirectory', path, () => this.#disk.syncDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.run('rename', from, () => this.#disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.run('remove', path, () => this.#disk.remove(path));
  }

  free(path: string): Promise<number> {
    return this.run('free', path, () => this.#disk.free(path));
  }

  async lock(path: string): Promise<AsyncDisposable> {
    const lock = await this.run('lock', path, () => this.#disk.lock(path));
    this.#locks.add(lock);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#locks.delete(lock);
        await lock[Symbol.asyncDispose]();
      },
    };
  }

  /** The kernel takes back the locks of a process that has died. */
  release(): void {
    for (const lock of this.#locks) void lock[Symbol.asyncDispose]();
    this.#locks.clear();
  }

  /** For files only. */
  async run<T>(operation: DiskOperation, path: string, work: () => Promise<T>): Promise<T> {
    if (!this.#life.over) this.#watch?.began(operation, path);
    if (this.#life.over) return never();
    try {
      const value = await work();
      if (this.#life.over) return await never();
      this.#watch?.ended(operation, path, undefined);
      return value;
    } catch (error) {
      if (this.#life.over) return await never();
      this.#watch?.ended(operation, path, error);
      throw error;
    }
  }
}

class MachineFile implements DiskFile {
  readonly size: number;
  readonly #disk: MachineDisk;
  readonly #path: string;
  readonly #file: DiskFile;

  constructor(disk: MachineDisk, path: string, file: DiskFile) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.size = file.size;
  }

  write(bytes: Segments, at?: number): Promise<void> {
    return this.#disk.run('write', this.#path, () => this.#file.write(bytes, at));
  }

  sync(): Promise<void> {
    return this.#disk.run('sync', this.#path, () => this.#file.sync());
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.#disk.run('read', this.#path, () => this.#file.read(at, length));
  }

  truncate(length: number): Promise<void> {
    return this.#disk.run('truncate', this.#path, () => this.#file.truncate(length));
  }

  close(): Promise<void> {
    return this.#disk.run('close', this.#path, () => this.#file.close());
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
