import { crc32 } from 'node:zlib';
import type { Segments } from '../base/index.ts';
import type { Clock, Disk, DiskFile } from '../world/index.ts';
import type { Part } from './hold.ts';
import { FilePart } from './hold.ts';
import type { LargeReference } from './record.ts';

/** Files of `large/`: `<run>-<serial>.eml`; the run is the sequence of the first segment this process wrote. */
export const LARGE_NAME = /^(\d{10})-(\d{10})\.eml$/;

export function largeName(run: number, serial: number): string {
  return `${String(run).padStart(10, '0')}-${String(serial).padStart(10, '0')}.eml`;
}

/** Bodies that have a file of their own. */
export class LargeFiles {
  readonly #disk: Disk;
  readonly directory: string;
  readonly #mode: number;
  /** Of this process: what it wrote itself. */
  readonly run: number;
  #serial = 0;
  /** Readers of each file; one that is to go and still read goes with its last reader. */
  readonly #readers = new Map<string, number>();
  readonly #leaving = new Set<string>();
  readonly #failed: (path: string, cause: unknown) => void;
  readonly #removals = new Set<Promise<void>>();
  #directorySync: { readonly waiting: Promise<void>; started: boolean } | undefined;
  readonly #clock: Clock;

  constructor(
    disk: Disk,
    clock: Clock,
    directory: string,
    mode: number,
    run: number,
    failed: (path: string, cause: unknown) => void,
  ) {
    this.#disk = disk;
    this.#clock = clock;
    this.directory = directory;
    this.#mode = mode;
    this.run = run;
    this.#failed = failed;
  }

  create(): LargeWriter {
    const serial = ++this.#serial;
    const path = this.path(this.run, serial);
    return new LargeWriter(this.run, serial, path, this, () => this.#disk.open(path, 'create', this.#mode));
  }

  path(run: number, serial: number): string {
    return `${this.directory}/${largeName(run, serial)}`;
  }

  /** Makes a new file's name durable. All who ask in one turn share one sync. */
  syncDirectory(): Promise<void> {
    const last = this.#directorySync;
    if (last && !last.started) return last.waiting;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const mine = { waiting: promise, started: false };
    this.#directorySync = mine;
    const start = (): void => {
      mine.started = true;
      this.#disk.syncDirectory(this.directory).then(resolve, reject);
    };
    // Behind the one under way, so that each sync covers all who asked before it began.
    if (last) last.waiting.then(start, start);
    else this.#clock.defer(start);
    return promise;
  }

  /** A lease on a file: it is not removed while somebody reads it. */
  reading(path: string): () => void {
    this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1);
    return () => {
      const left = this.#readers.get(path)! - 1;
      if (left > 0) {
        this.#readers.set(path, left);
        return;
      }
      this.#readers.delete(path);
      if (this.#leaving.delete(path)) this.#unlink(path);
    };
  }

  /**
   * The stretch of a body that stands in a file.
   *
   * @param release gets what is to be called when the reader is through
   * @param before awaited before each read: the file may still be growing
   */
  part(
    path: string,
    length: number,
    crc: number | undefined,
    release: (() => void)[],
    before?: () => Promise<void>,
  ): Part {
    const disk = this.#disk;
    let file: Promise<DiskFile> | undefined;
    const close = (): void =>
      void file?.then(
        (opened) => this.close(opened, path),
        () => undefined,
      );
    release.push(close, this.reading(path));
    const source = {
      path,
      async read(at: number, count: number): Promise<Uint8Array> {
        if (before) await before();
        file ??= disk.open(path, 'read');
        return (await file).read(at, count);
      },
    };
    return new FilePart(source, 0, length, crc);
  }

  /** To be called when nothing on disk names it any more, or nothing ever did. */
  remove(path: string): void {
    if (this.#readers.has(path)) this.#leaving.add(path);
    else this.#unlink(path);
  }

  /** Never rejects: what cannot be closed is told to the operator. */
  async close(file: DiskFile, path: string): Promise<void> {
    try {
      await file.close();
    } catch (cause) {
      this.#failed(path, cause);
    }
  }

  #unlink(path: string): void {
    const removal = this.#disk.remove(path).catch((cause: unknown) => this.#failed(path, cause));
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }

  /** Removals under way have ended. */
  async idle(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }
}

/** One body on its way into a file while it still arrives. */
export class LargeWriter {
  readonly run: number;
  readonly serial: number;
  readonly path: string;
  length = 0;
  #crc = 0;
  readonly #files: LargeFiles;
  readonly #open: () => Promise<DiskFile>;
  #file: DiskFile | undefined;
  #made = false;
  #queue: Uint8Array[] = [];
  #loop: Promise<void> | undefined;
  #trouble: { readonly cause: unknown } | undefined;
  #discarded = false;
  /** Called each time all that was given is written, or lost. */
  idle: (() => void) | undefined;

  constructor(run: number, serial: number, path: string, files: LargeFiles, open: () => Promise<DiskFile>) {
    this.run = run;
    this.serial = serial;
    this.path = path;
    this.#files = files;
    this.#open = open;
  }

  /** Nothing waits to be written. */
  get settled(): boolean {
    return this.#loop === undefined;
  }

  write(bytes: Segments): void {
    for (const view of bytes) {
      this.length += view.length;
      this.#crc = crc32(view, this.#crc);
      if (this.#trouble === undefined) this.#queue.push(view);
    }
    if (this.#trouble === undefined) this.#loop ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      if (this.#file === undefined) {
        this.#file = await this.#open();
        this.#made = true;
      }
      while (this.#queue.length > 0 && !this.#discarded) {
        const bytes = this.#queue;
        this.#queue = [];
        await this.#file.write(bytes);
      }
    } catch (cause) {
      // Kept for `finish`: until then the sender goes on talking to nobody.
      this.#trouble = { cause };
      this.#queue = [];
    }
    this.#loop = undefined;
    this.idle?.();
  }

  /** For policy, before the commit: what was given so far, read when it is written. */
  part(release: (() => void)[]): Part {
    return this.#files.part(this.path, this.length, undefined, release, async () => {
      while (this.#loop) await this.#loop;
      if (this.#trouble) throw this.#trouble.cause;
    });
  }

  /** On disk for good, name and all. @throws DiskError */
  async finish(sync: boolean): Promise<LargeReference> {
    while (this.#loop) await this.#loop;
    if (this.#trouble) throw this.#trouble.cause;
    const file = this.#file!;
    if (sync) await file.sync();
    this.#file = undefined;
    await file.close();
    if (sync) await this.#files.syncDirectory();
    return { run: this.run, serial: this.serial, length: this.length, crc: this.#crc };
  }

  /** Away with it, as soon as the write under way has ended. Never rejects. */
  async discard(): Promise<void> {
    this.#discarded = true;
    while (this.#loop) await this.#loop;
    const file = this.#file;
    this.#file = undefined;
    if (file) await this.#files.close(file, this.path);
    if (this.#made) this.#files.remove(this.path);
  }
}
