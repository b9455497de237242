import { millis, type Seconds } from '../base/index.ts';
import { duration, option, percent, type View } from '../config/index.ts';
import type { Events } from '../events/index.ts';
import type { Clock, MemoryUse } from '../world/index.ts';

/** Soft: from here on bodies and envelopes of waiting mail leave memory (manual page memory_goal). */
export const memoryGoal = option('memory_goal', percent);
/** Hard: from here on new mail is told to come later (manual page memory_hwm). */
export const memoryHwm = option('memory_hwm', percent);
export const mailQueueCheckVmInterval = option('mail_queue_check_vm_interval', duration);

export const memoryOptions = [memoryGoal, memoryHwm, mailQueueCheckVmInterval];

/** Reading the process's size costs microseconds. */
const LOOK_MILLIS = 1000;

export interface MemoryWatchParts {
  readonly clock: Clock;
  readonly events: Pick<Events, 'diagnose'>;
  readonly memory: () => MemoryUse;
  readonly global: () => View;
  /** Everything that waits leaves memory, as far as nobody holds it. */
  readonly free: () => void;
}

/**
 * Watches how much of its memory the process uses: of the control group's limit where there is one, else of the
 * machine's. Above `memory_goal` what waits is swapped out, above `memory_hwm` reception refuses with 421 4.3.4 as well.
 */
export class MemoryWatch implements Disposable {
  readonly #parts: MemoryWatchParts;
  #timer: Disposable | undefined;
  #freedAt = Number.NEGATIVE_INFINITY;
  #exceeded = false;

  constructor(parts: MemoryWatchParts) {
    this.#parts = parts;
    this.#look();
  }

  /** New mail is not taken. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #look(): void {
    const { clock, events, memory } = this.#parts;
    const view = this.#parts.global();
    const { used, limit } = memory();
    const share = limit > 0 ? (used / limit) * 100 : 0;
    const exceeded = share >= view.get(memoryHwm);
    if (exceeded !== this.#exceeded) {
      this.#exceeded = exceeded;
      const figures = `${Math.round(used / 2 ** 20)} of ${Math.round(limit / 2 ** 20)} MiB are in use`;
      if (exceeded) events.diagnose('CRITICAL', 'memory', `memory_hwm is reached, ${figures}: new mail is refused`);
      else events.diagnose('NOTICE', 'memory', `below memory_hwm again, ${figures}: new mail is taken`);
    }
    const interval: Seconds = view.get(mailQueueCheckVmInterval);
    if (share >= view.get(memoryGoal) && (exceeded || clock.now() - this.#freedAt >= interval * 1000)) {
      this.#freedAt = clock.now();
      this.#parts.free();
    }
    this.#timer = clock.at(millis(clock.now() + LOOK_MILLIS), () => this.#look());
  }
}
