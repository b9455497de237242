import type { Millis } from '../base/index.ts';
import type { Order } from './order.ts';

/** How far a transmission is. */
export interface Progress {
  readonly order: Order;
  readonly recipients: number;
  readonly submitted: Millis;
  started?: Millis | undefined;
  ended?: Millis | undefined;
  made: number;
  failed: number;
  /** Of one that waited for its time. */
  cancelled?: boolean;
}

/** Finished transmissions that are remembered, and the characters of all their data. */
const MOST_FINISHED = 1000;
const MOST_CHARACTERS = 8_388_608;

/** The transmissions that are being made or wait for their time, and the last that were. */
export class Register {
  readonly #now: () => Millis;
  readonly #running = new Map<string, Progress>();
  /** Their messages are made, and wait. */
  readonly #scheduled = new Map<string, Progress>();
  readonly #finished = new Map<string, Progress>();
  #finishedCharacters = 0;
  /** Counted once for each: the data of an order do not change. */
  readonly #weights = new WeakMap<Order, number>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => Millis) {
    this.#now = now;
  }

  /** How many wait for their time, and the characters of their data. */
  get scheduled(): { readonly count: number; readonly characters: number } {
    this.#settle();
    let characters = 0;
    for (const progress of this.#scheduled.values()) characters += this.#weightOf(progress);
    return { count: this.#scheduled.size, characters };
  }

  begin(order: Order, recipients: number, submitted: Millis): Progress {
    const progress = { order: slim(order), recipients, submitted, made: 0, failed: 0 };
    this.#running.set(order.id, progress);
    return progress;
  }

  /** One that an earlier process began, if it is known. */
  resume(id: string): Progress | undefined {
    const finished = this.#finished.get(id);
    if (finished !== undefined) this.#forget(id, finished);
    const progress = this.#scheduled.get(id) ?? finished;
    if (progress === undefined) return this.#running.get(id);
    this.#scheduled.delete(id);
    this.#running.set(id, progress);
    return progress;
  }

  end(id: string): void {
    const progress = this.#running.get(id);
    if (progress === undefined) return;
    this.#running.delete(id);
    if (progress.order.startTime === undefined) this.#finish(progress);
    else this.#scheduled.set(id, progress);
  }

  /** One of an earlier process. */
  adopt(progress: Progress): void {
    const { id } = progress.order;
    if (!this.#running.has(id)) this.#scheduled.set(id, progress);
  }

  find(id: string): Progress | undefined {
    this.#settle();
    return this.#running.get(id) ?? this.#scheduled.get(id) ?? this.#finished.get(id);
  }

  *all(): Generator<Progress> {
    this.#settle();
    yield* this.#running.values();
    yield* this.#scheduled.values();
    yield* [...this.#finished.values()].reverse();
  }

  uses(templateId: string): boolean {
    for (const { order } of this.#running.values()) if (order.template?.id === templateId) return true;
    return false;
  }

  /** Those whose time has come are finished. */
  #settle(): void {
    const now = this.#now();
    for (const [id, progress] of this.#scheduled) {
      if ((progress.order.startTime ?? 0) > now) continue;
      this.#scheduled.delete(id);
      this.#finish(progress);
    }
  }

  #finish(progress: Progress): void {
    this.#finished.set(progress.order.id, progress);
    this.#finishedCharacters += this.#weightOf(progress);
    for (const [id, oldest] of this.#finished) {
      if (this.#finished.size <= MOST_FINISHED && this.#finishedCharacters <= MOST_CHARACTERS) return;
      this.#forget(id, oldest);
    }
  }

  #weightOf({ order }: Progress): number {
    const known = this.#weights.get(order);
    if (known !== undefined) return known;
    const weight = JSON.stringify(order).length;
    this.#weights.set(order, weight);
    return weight;
  }

  #forget(id: string, progress: Progress): void {
    this.#finished.delete(id);
    this.#finishedCharacters -= this.#weightOf(progress);
  }
}

/** Bodies and attachments stay in the spool. */
const slim = (order: Order): Order => ({ ...order, content: {} });
