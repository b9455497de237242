import type { Segments } from '../../src/base/index.ts';
import type { DirectoryEntry, Disk, DiskFile, FileStatus } from '../../src/world/index.ts';
import type { Stage } from './points.ts';
import { recordsIn, spoiled, type Written } from './records.ts';
import type { Witness } from './witness.ts';

/** A lie of the disk, so that it can be shown that the checks see it: such records are called written, and are spoiled. */
export type Lie = 'reception' | 'done';

const SEGMENT = /\/(\d{10})\.seg$/;
const LARGE = /\/large\/[^/]+$/;

/** The real disk, on which a process can die at every step. */
export class MortalDisk implements Disk {
  readonly #disk: Disk;
  readonly #witness: Witness;
  readonly #lie: Lie | undefined;
  #segments = 0;
  /** What the next sync of a directory makes durable. */
  #pending: 'large' | 'created' | 'removed' | undefined;

  constructor(disk: Disk, witness: Witness, lie: Lie | undefined) {
    this.#disk = disk;
    this.#witness = witness;
    this.#lie = lie;
  }

  async open(path: string, how: 'read' | 'append' | 'create', mode?: number): Promise<DiskFile> {
    const sequence = Number(SEGMENT.exec(path)?.[1] ?? -1);
    const witness = this.#witness;
    if (how === 'read') {
      const file = await this.#disk.open(path, how, mode);
      return sequence < 0 ? file : new ReadSegment(file, witness);
    }
    if (sequence < 0) {
      const file = await this.#disk.open(path, how, mode);
      return LARGE.test(path) ? new LargeBody(file, witness) : file;
    }
    // The first one is made before anybody can connect: that is no change.
    const change = ++this.#segments > 1;
    if (change) witness.pass('segment change: before the new file');
    const file = await this.#disk.open(path, how, mode);
    if (change) {
      witness.pass('segment change: the new file has no durable name');
      this.#pending = 'created';
    }
    return new WrittenSegment(file, witness, sequence, this.#lie);
  }

  async syncDirectory(path: string): Promise<void> {
    const large = path.endsWith('/large');
    const pending = large ? 'large' : this.#pending;
    if (!large) this.#pending = undefined;
    await this.#disk.syncDirectory(path);
    if (pending === 'large') this.#witness.pass('large body: its name was synced');
    if (pending === 'created') this.#witness.pass('segment change: the new name was synced');
    if (pending === 'removed') this.#witness.pass('segment removal: durable');
  }

  async remove(path: string): Promise<void> {
    const what = SEGMENT.test(path) ? 'segment' : LARGE.test(path) ? 'large' : undefined;
    if (what === 'segment') this.#witness.pass('segment removal: before');
    if (what === 'large') this.#witness.pass('large body: before its removal');
    await this.#disk.remove(path);
    if (what === 'segment') {
      this.#witness.pass('segment removal: not durable');
      this.#pending = 'removed';
    }
    if (what === 'large') this.#witness.pass('large body: after its removal');
  }

  read(path: string): Promise<Uint8Array> {
    return this.#disk.read(path);
  }

  replace(path: string, bytes: Uint8Array, mode?: number): Promise<void> {
    return this.#disk.replace(path, bytes, mode);
  }

  list(path: string): Promise<readonly DirectoryEntry[]> {
    return this.#disk.list(path);
  }

  status(path: string, links?: 'followed' | 'kept'): Promise<FileStatus | undefined> {
    return this.#disk.status(path, links);
  }

  writable(path: string): Promise<boolean> {
    return this.#disk.writable(path);
  }

  makeDirectory(path: string, mode?: number): Promise<void> {
    return this.#disk.makeDirectory(path, mode);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#disk.rename(from, to);
  }

  free(path: string): Promise<number> {
    return this.#disk.free(path);
  }

  lock(path: string): Promise<AsyncDisposable> {
    return this.#disk.lock(path);
  }
}

/** All that a wrapper does not care about. */
class Through implements DiskFile {
  protected readonly file: DiskFile;
  protected readonly witness: Witness;

  constructor(file: DiskFile, witness: Witness) {
    this.file = file;
    this.witness = witness;
  }

  get size(): number {
    return this.file.size;
  }

  write(bytes: Segments, at?: number): Promise<void> {
    return this.file.write(bytes, at);
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  read(at: number, length: number): Promise<Uint8Array> {
    return this.file.read(at, length);
  }

  truncate(length: number): Promise<void> {
    return this.file.truncate(length);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** Puts the first half there, as a process that dies in the middle of a write would. */
  protected async dieInTheMiddle(bytes: Segments, at: number | undefined): Promise<never> {
    const whole = Buffer.concat(bytes);
    await this.file.write([whole.subarray(0, whole.length >> 1)], at);
    this.witness.die();
  }
}

class ReadSegment extends Through {
  override async read(at: number, length: number): Promise<Uint8Array> {
    this.witness.pass('recovery: while a segment is read');
    return this.file.read(at, length);
  }
}

class LargeBody extends Through {
  override async write(bytes: Segments, at?: number): Promise<void> {
    this.witness.pass('large body: before a write');
    if (this.witness.visits('large body: half written')) await this.dieInTheMiddle(bytes, at);
    await this.file.write(bytes, at);
  }

  override async sync(): Promise<void> {
    this.witness.pass('large body: before its sync');
    await this.file.sync();
    this.witness.pass('large body: after its sync');
  }
}

/** A segment that this process writes: batches, and an index at its end. */
class WrittenSegment extends Through {
  readonly #sequence: number;
  readonly #lie: Lie | undefined;
  /** What the last write held, which the next sync is for. */
  #last: Written = { kinds: new Set(), index: false };

  constructor(file: DiskFile, witness: Witness, sequence: number, lie: Lie | undefined) {
    super(file, witness);
    this.#sequence = sequence;
    this.#lie = lie;
  }

  override async write(bytes: Segments, at?: number): Promise<void> {
    this.#last = recordsIn(bytes, this.#sequence);
    const { kinds, index } = this.#last;
    if (index) {
      if (this.witness.visits('segment change: half of the index')) await this.dieInTheMiddle(bytes, at);
      await this.file.write(bytes, at);
      this.witness.pass('segment change: the index was not synced');
      return;
    }
    this.witness.note('write');
    this.#pass('before the write');
    for (const kind of kinds) if (this.witness.visits(`${kind}: half written`)) await this.dieInTheMiddle(bytes, at);
    const lied = this.#lie === undefined ? bytes : spoiled(bytes, this.#sequence, this.#lie);
    await this.file.write(lied, at);
    this.#pass('between write and sync');
  }

  override async sync(): Promise<void> {
    await this.file.sync();
    if (this.#last.index) {
      this.witness.pass('segment change: the index was synced');
      return;
    }
    this.witness.note('synced');
    this.#pass('after the sync');
  }

  #pass(stage: Stage): void {
    for (const kind of this.#last.kinds) this.witness.pass(`${kind}: ${stage}`);
  }
}
