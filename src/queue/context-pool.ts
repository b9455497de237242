import type { Context } from '../message/index.ts';

/** Distinct contexts that are shared; sessions of one listener mostly have the same one. */
const MOST = 1024;

/** Equal contexts of waiting messages become one object. */
export class ContextPool {
  readonly #known = new Map<string, Context>();

  /** @returns the shared one; undefined when there are too many different ones to be worth it */
  share(context: Context): Context | undefined {
    const text = JSON.stringify(context);
    const known = this.#known.get(text);
    if (known !== undefined || this.#known.size >= MOST) return known;
    // A copy, so that nobody who still holds the first one can change it for all.
    const shared = JSON.parse(text) as Context;
    this.#known.set(text, shared);
    return shared;
  }
}
