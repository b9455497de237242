import type { Stanza } from '../tree/stanza.ts';

/**
 * Stanzas of one tree that set something, and were not there or set nothing in an earlier one: what may change values
 * for somebody whom no stanza matched before.
 */
export class Added {
  readonly all: Stanza[] = [];
  /** Literal domain and host stanzas, by type and name. */
  readonly #named = new Map<string, Stanza[]>();
  readonly #others: Stanza[] = [];

  add(stanza: Stanza): void {
    this.all.push(stanza);
    if ((stanza.type !== 'domain' && stanza.type !== 'host') || stanza.pattern) {
      this.#others.push(stanza);
      return;
    }
    const key = `${stanza.type} ${stanza.instance}`;
    const same = this.#named.get(key);
    if (same) same.push(stanza);
    else this.#named.set(key, [stanza]);
  }

  /** @returns all but the literal domain and host stanzas of other names or the other type */
  for(type: string, name: string): readonly Stanza[] {
    const named = this.#named.get(`${type} ${name}`);
    return named ? [...this.#others, ...named] : this.#others;
  }
}

/** Compares two trees, a stanza at each step: what both share is not looked into. */
export class Comparison {
  readonly added = new Added();
  readonly #open: { readonly before: Stanza | undefined; readonly now: Iterator<Stanza> }[] = [];

  constructor(last: Stanza, next: Stanza) {
    this.#compare(last, next);
  }

  /** @returns false when there is nothing left */
  step(): boolean {
    const open = this.#open.at(-1);
    if (!open) return false;
    const { value: now, done } = open.now.next();
    if (done === true) this.#open.pop();
    else this.#compare(open.before?.children.get(now.type)?.get(now.instance), now);
    return true;
  }

  #compare(last: Stanza | undefined, next: Stanza): void {
    if (last === next) return;
    if (sets(next) && !(last && sets(last))) this.added.add(next);
    for (const [type, ofType] of next.children) {
      if (last?.children.get(type) !== ofType) this.#open.push({ before: last, now: ofType.values() });
    }
  }
}

function sets(stanza: Stanza): boolean {
  for (const { entry } of stanza.options.values()) if (entry.declared.length > 0) return true;
  return false;
}
