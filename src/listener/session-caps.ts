import type { Option, View } from '../config/index.ts';
import { listenerSessions, serviceSessions } from './options.ts';

const CAPS: readonly Option<number>[] = [listenerSessions, serviceSessions];

/** A session's place under the caps; to be given back once. */
export type Slot = Disposable;

/**
 * Counts sessions for each (option, stanza that set it): outside Peer one budget for everyone, inside Peer one for each
 * block. Only the value that holds for the client is checked; but a client with a cap of its Peer is counted in the
 * outer one too, which stays a true total.
 */
export class SessionCaps {
  readonly #open = new Map<string, number>();

  /**
   * @param view  what holds for the client
   * @param outer  what holds at its endpoint for nobody in particular
   * @returns undefined when a cap is reached
   */
  take(view: View, outer: View): Slot | undefined {
    const keys: string[] = [];
    for (const option of CAPS) {
      const key = keyOf(option, view);
      const most = view.get(option);
      if (most > 0 && this.#count(key) >= most) return undefined;
      keys.push(key);
      const total = keyOf(option, outer);
      if (total !== key) keys.push(total);
    }
    for (const key of keys) this.#open.set(key, this.#count(key) + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        for (const key of keys) this.#give(key);
      },
    };
  }

  #count(key: string): number {
    return this.#open.get(key) ?? 0;
  }

  #give(key: string): void {
    const left = this.#count(key) - 1;
    if (left > 0) this.#open.set(key, left);
    else this.#open.delete(key);
  }
}

const keyOf = (option: Option<number>, view: View): string => `${option.name} ${view.owner(option).key}`;
