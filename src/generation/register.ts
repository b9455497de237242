import type { Millis } from '../base/index.ts';
import type { Order } from './order.ts';

/** How far a transmission is. */
export interface Progress {
  readonly order: Order;
  readonly recipients: number;
  readonly submitted: Millis;
  started: Millis | undefined;
  ended: Millis | undefined;
  made: number;
  failed: number;
}

/** Finished transmissions that are remembered. */
const MOST_FINISHED = 1000;

/** The transmissions that are being made, and the last that were; nothing of it outlives the process but the former. */
export class Register {
  readonly #running = new Map<string, Progress>();
  readonly #finished = new Map<string, Progress>();

  begin(order: Order, recipients: number, submitted: Millis): Progress {
    const progress = {
      order: slim(order),
      recipients,
      submitted,
      started: undefined,
      ended: undefined,
      made: 0,
      failed: 0,
    };
    this.#running.set(order.id, progress);
    return progress;
  }

  end(id: string): void {
    const progress = this.#running.get(id);
    if (progress === undefined) return;
    this.#running.delete(id);
    this.#finished.set(id, progress);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > MOST_FINISHED && oldest !== undefined) this.#finished.delete(oldest);
  }

  find(id: string): Progress | undefined {
    return this.#running.get(id) ?? this.#finished.get(id);
  }

  *all(): Generator<Progress> {
    yield* this.#running.values();
    yield* [...this.#finished.values()].reverse();
  }

  uses(templateId: string): boolean {
    for (const { order } of this.#running.values()) if (order.template?.id === templateId) return true;
    return false;
  }
}

/** Bodies and attachments stay in the spool. */
const slim = (order: Order): Order => ({ ...order, content: {} });
