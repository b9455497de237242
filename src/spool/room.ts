import type { Clock, Disk } from '../world/index.ts';
import { type Alarm, because } from './alarm.ts';

const CHECK_MS = 1000;
/** A fast writer is looked at more often than once a second. */
const CHECK_BYTES = 32 * 1024 * 1024;

/**
 * Whether there is room for new mail. Asked now and then, never per message; what is left below `spool_min_free` is for
 * done records, aborts and compaction.
 */
export class Room {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #minFree: () => number;
  readonly #alarm: Alarm;
  #full = false;
  #checkedAt = -Infinity;
  #written = 0;
  #checking: Promise<void> | undefined;

  constructor(disk: Disk, clock: Clock, directory: string, minFree: () => number, alarm: Alarm) {
    this.#disk = disk;
    this.#clock = clock;
    this.#directory = directory;
    this.#minFree = minFree;
    this.#alarm = alarm;
  }

  get full(): boolean {
    return this.#full;
  }

  /** Before a batch with receptions in it. @returns a promise only while the disk is full and it is time to look again */
  look(): Promise<void> | undefined {
    const due = this.#written >= CHECK_BYTES || this.#clock.now() - this.#checkedAt >= CHECK_MS;
    const check = due ? this.check() : this.#checking;
    return this.#full ? check : undefined;
  }

  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** A write has just failed for want of room. */
  ranOut(): void {
    this.#checkedAt = this.#clock.now();
    this.#set(true, 'a write has failed for want of room');
  }

  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #check(): Promise<void> {
    this.#checkedAt = this.#clock.now();
    this.#written = 0;
    try {
      const free = await this.#disk.free(this.#directory);
      this.#set(free < this.#minFree(), `${free} bytes are free, spool_min_free is ${this.#minFree()}`);
    } catch (cause) {
      // Not to know is no reason to refuse mail: a write that fails will say so.
      this.#alarm.repeat('free', 'WARNING', `cannot ask for the free space of ${this.#directory}: ${because(cause)}`);
      this.#full = false;
    }
  }

  #set(full: boolean, why: string): void {
    if (full === this.#full) return;
    this.#full = full;
    if (full)
      this.#alarm.tell(
        'CRITICAL',
        `${this.#directory} is full: ${why}. New mail is refused with 452 until there is room.`,
      );
    else this.#alarm.tell('NOTICE', `${this.#directory} has room again: ${why}. Mail is accepted.`);
  }
}
