import { dirname } from 'node:path';
import type { Disk } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';
import type { Source } from './hold.ts';

const COPY_BYTES = 1_048_576;

/** Bytes that should have been records, put aside for a person to look at, unless nobody wants them. */
export class Damage {
  readonly #disk: Disk;
  readonly #alarm: Alarm;
  readonly #directory: string;
  readonly #mode: number;
  readonly #directoryMode: number;
  readonly #unlink: boolean;

  /** @param directory `<spoolbase>/damaged`; @param unlink `spool_damaged` says so */
  constructor(disk: Disk, alarm: Alarm, directory: string, mode: number, directoryMode: number, unlink: boolean) {
    this.#disk = disk;
    this.#alarm = alarm;
    this.#directory = directory;
    this.#mode = mode;
    this.#directoryMode = directoryMode;
    this.#unlink = unlink;
  }

  /**
   * Copies bytes to `<name>-<from>.bin` and raises an alert. Copied already: only says so.
   *
   * @returns false when they could not be copied: the original must stay
   */
  async keep(source: Source, name: string, from: number, to: number): Promise<boolean> {
    const path = `${this.#directory}/${name}-${from}.bin`;
    const what = `${source.path} is damaged: ${to - from} bytes at ${from} are no whole record`;
    if (this.#unlink) {
      this.#alarm.tell(
        'CRITICAL',
        `${what}; no copy is made (spool_damaged). All else in it is served. Check the disk.`,
      );
      return true;
    }
    try {
      const before = await this.#disk.status(path);
      if (before?.size === to - from) {
        this.#alarm.tell('ERROR', `${what}; a copy is in ${path} already. All else in it is served.`);
        return true;
      }
      await this.#disk.makeDirectory(this.#directory, this.#directoryMode);
      await this.#disk.syncDirectory(dirname(this.#directory));
      if (before) await this.#disk.remove(path);
      const copy = await this.#disk.open(path, 'create', this.#mode);
      try {
        for (let at = from; at < to; at += COPY_BYTES)
          await copy.write([await source.read(at, Math.min(COPY_BYTES, to - at))]);
        await copy.sync();
      } finally {
        await copy.close();
      }
      await this.#disk.syncDirectory(this.#directory);
      this.#alarm.tell('CRITICAL', `${what}; a copy is in ${path}. All else in it is served. Check the disk.`);
      return true;
    } catch (cause) {
      this.#alarm.tell(
        'CRITICAL',
        `${what}, and cannot be copied to ${path}: ${because(cause)}. The segment is left as it is.`,
      );
      return false;
    }
  }

  /** A body whose record may be among the damaged ones. */
  async move(path: string, name: string): Promise<void> {
    try {
      if (this.#unlink) {
        await this.#disk.remove(path);
        this.#alarm.tell('WARNING', `${path} belonged to no message that can be read: it was deleted (spool_damaged).`);
        return;
      }
      await this.#disk.makeDirectory(this.#directory, this.#directoryMode);
      await this.#disk.rename(path, `${this.#directory}/${name}`);
      await this.#disk.syncDirectory(this.#directory);
      this.#alarm.tell(
        'WARNING',
        `${path} belongs to no message that can be read: it was moved to ${this.#directory}.`,
      );
    } catch (cause) {
      this.#alarm.tell(
        'WARNING',
        `${path} belongs to no message that can be read, and cannot be ${this.#unlink ? 'deleted' : `moved to ${this.#directory}`}: ${because(cause)}`,
      );
    }
  }
}
