import { dirname } from 'node:path';
import { millis } from '../base/index.ts';
import type { Clock, Disk, DiskFile } from '../world/index.ts';
import { DiskError } from '../world/index.ts';

export interface LogFileParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly path: string;
  /** Permission bits of a file that is made. */
  readonly mode: number;
  /** Standard error: the one place left to speak when a log cannot be written. */
  readonly complain: (text: string) => void;
  /** Bytes kept while the file cannot be written. Beyond, new lines are dropped and counted. */
  readonly mostKept?: number;
}

/** Lines are gathered for so long … */
const flushAfter = 100;
/** … or until there are so many bytes. */
const flushAt = 65_536;
const retryAfter = 1000;
/** Some 50,000 lines. */
const keptByDefault = 8 * 1024 * 1024;

const LF = 10;

interface Chunk {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * A file of lines that is only ever appended to. `append` never waits and never throws; lines stand in the file whole
 * and in their order. Trouble with the file is said once on standard error; lines are kept meanwhile up to a limit, and
 * it is tried again every second.
 */
export class LogFile implements AsyncDisposable {
  readonly path: string;
  readonly #parts: LogFileParts;
  readonly #mostKept: number;
  #file: DiskFile | undefined;
  /** Where, by our own count, the file ends. */
  #end = 0;
  /** Lines of now: a rope, made bytes in one go. */
  #text = '';
  #textLines = 0;
  /** Made bytes, oldest first; they leave when they are written. */
  #chunks: Chunk[] = [];
  /** Bytes in text and chunks. */
  #kept = 0;
  #dropped = 0;
  #timer: Disposable | undefined;
  #worker: Promise<void> | undefined;
  #failing = false;
  #flushWanted = true;
  #closed = false;
  #reopens: { readonly done: () => void; readonly failed: (why: unknown) => void }[] = [];

  constructor(parts: LogFileParts) {
    this.#parts = parts;
    this.path = parts.path;
    this.#mostKept = parts.mostKept ?? keptByDefault;
    // The file is made at once: an operator sees at the start, not with the first message, that it cannot be.
    this.#wake();
  }

  /** @param line bytes as Latin-1 characters, without a line end in it or behind it */
  append(line: string): void {
    if (this.#closed || this.#kept + line.length >= this.#mostKept) {
      this.#dropped += 1;
      return;
    }
    this.#text += `${line}\n`;
    this.#textLines += 1;
    this.#kept += line.length + 1;
    if (this.#text.length >= flushAt) {
      this.#seal();
      if (!this.#failing) this.#wake();
    } else if (this.#timer === undefined && this.#worker === undefined) {
      this.#wakeAfter(flushAfter);
    }
  }

  /** Everything appended so far is in the file, or its failure has been said, when this resolves. */
  async flush(): Promise<void> {
    do {
      this.#flushWanted = true;
      this.#wake();
      await this.#worker;
    } while (!this.#failing && this.#kept > 0);
  }

  /**
   * Lines so far go to the file that is open, whatever its name is by now; later ones to a file of our name.
   *
   * @throws DiskError when that one cannot be opened; lines are kept and it is tried again
   */
  reopen(): Promise<void> {
    return new Promise((done, failed) => {
      this.#reopens.push({ done, failed });
      this.#wake();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#timer?.[Symbol.dispose]();
    await this.#close();
    for (const waiting of this.#reopens) waiting.failed(new Error(`log ${this.path} is closed`));
    const lost = this.#dropped + this.#textLines + this.#chunks.reduce((sum, chunk) => sum + chunk.lines, 0);
    if (lost > 0) this.#complain(`closed; ${lost} lines could not be written and are lost`);
    this.#dropped = 0;
  }

  #seal(): void {
    if (this.#textLines === 0) return;
    this.#chunks.push({ bytes: Buffer.from(this.#text, 'latin1'), lines: this.#textLines });
    this.#text = '';
    this.#textLines = 0;
  }

  #wakeAfter(wait: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#parts.clock.at(millis(this.#parts.clock.now() + wait), () => {
      this.#timer = undefined;
      this.#flushWanted = true;
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#worker !== undefined) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    // Begins in a later microtask, so that `#worker` is set before its end clears it.
    this.#worker = Promise.resolve()
      .then(() => this.#work())
      .finally(() => {
        this.#worker = undefined;
        if (this.#closed) return;
        if (this.#failing) this.#wakeAfter(retryAfter);
        else if (this.#chunks.length > 0 || this.#reopens.length > 0) this.#wake();
        else if (this.#textLines > 0) this.#wakeAfter(flushAfter);
      });
  }

  /** Writes what there is and opens what must be opened; ends when nothing is left for now, or with the first failure. */
  async #work(): Promise<void> {
    const reopens = this.#reopens;
    this.#reopens = [];
    try {
      this.#file ??= await this.#open();
      do {
        if (this.#flushWanted || reopens.length > 0) this.#seal();
        this.#flushWanted = false;
        await this.#write(this.#file);
      } while (this.#flushWanted || this.#chunks.length > 0);
      if (reopens.length > 0) {
        await this.#close();
        this.#file = await this.#open();
      }
      this.#recovered();
      for (const waiting of reopens) waiting.done();
    } catch (error) {
      await this.#close();
      this.#failed(error);
      for (const waiting of reopens) waiting.failed(error);
    }
  }

  async #write(file: DiskFile): Promise<void> {
    const count = this.#chunks.length;
    if (count === 0) return;
    const bytes = this.#chunks.map((chunk) => chunk.bytes);
    const length = bytes.reduce((sum, chunk) => sum + chunk.length, 0);
    await file.write(bytes);
    this.#end += length;
    this.#kept -= length;
    this.#chunks.splice(0, count);
  }

  async #open(): Promise<DiskFile> {
    const { disk, mode } = this.#parts;
    let file: DiskFile;
    try {
      file = await disk.open(this.path, 'append', mode);
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error;
      await disk.makeDirectory(dirname(this.path));
      file = await disk.open(this.path, 'append', mode);
    }
    try {
      if (file.size > 0) await this.#mend(file.size);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#end = file.size;
    return file;
  }

  /**
   * After a failed write nobody knows how much of it is in the file: what is there already is not written again. And a
   * half line that stands last, ours from a crash or somebody else's, is ended, so that ours begin on a line of their own.
   */
  async #mend(size: number): Promise<void> {
    // What is made bytes while we look comes behind these, and is in no file yet.
    const waiting = [...this.#chunks];
    const bytes = Buffer.concat(waiting.map((chunk) => chunk.bytes));
    const reader = await this.#parts.disk.open(this.path, 'read');
    try {
      const grown = size - this.#end;
      if (this.#failing && grown >= 0 && grown <= bytes.length) {
        const there = await reader.read(this.#end, grown);
        if (bytes.subarray(0, grown).equals(there)) {
          this.#chunks.splice(0, waiting.length, ...unwritten(waiting, grown));
          this.#kept -= grown;
          return;
        }
      }
      const [last] = await reader.read(size - 1, 1);
      if (last === LF) return;
      this.#chunks.unshift({ bytes: Buffer.of(LF), lines: 0 });
      this.#kept += 1;
    } finally {
      await reader.close();
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } catch (error) {
      // Every line was written before; a handle that does not close is the system's trouble, and only said.
      this.#complain(`could not be closed: ${reason(error)}`);
    }
  }

  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#complain(
        `cannot be written: ${reason(error)}. Lines are kept (${this.#mostKept} bytes at most) and it is tried again`,
      );
    }
    this.#failing = true;
  }

  #recovered(): void {
    if (this.#failing) {
      const lost = this.#dropped === 0 ? 'nothing was lost' : `${this.#dropped} lines were dropped meanwhile`;
      this.#complain(`is written again; ${lost}`);
    } else if (this.#dropped > 0) {
      this.#complain(`is too slow; ${this.#dropped} lines were dropped`);
    }
    this.#failing = false;
    this.#dropped = 0;
  }

  #complain(what: string): void {
    this.#parts.complain(`log ${this.path} ${what}`);
  }
}

/** @returns what is left of chunks of which so many bytes are in the file */
function unwritten(chunks: readonly Chunk[], written: number): Chunk[] {
  let before = written;
  return chunks.flatMap(({ bytes, lines }) => {
    const rest = bytes.subarray(before);
    before = Math.max(0, before - bytes.length);
    return rest.length === 0 ? [] : [{ bytes: rest, lines }];
  });
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
