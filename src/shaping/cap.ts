const NO_CLAIMS: readonly Disposable[] = [];

/** Who was refused a place under a cap and wants to be told when there is one. */
export interface Waiter {
  /** Whether it has no connection at all: such waiters come first, and others make room for them. */
  readonly starving: boolean;
  /** There is room under that cap. Called once for each wait. */
  offered(cap: Cap): void;
}

/**
 * A count of open connections that several pairs may share: the whole server, a binding, a declaring stanza, an MX
 * host. The limit is not part of it, since each generation may bring another: each waiter says at which it was refused.
 *
 * A place that was given back is offered to one waiter. Whoever was woken and does not use it passes it on
 * (`offer` again), so that no place stays empty while somebody waits, and nobody is woken in vain by the thousand.
 */
export class Cap {
  open = 0;
  readonly #starving = new Map<Waiter, number>();
  readonly #waiting = new Map<Waiter, number>();
  /** Idle connections that count here. */
  readonly #resting = new Set<Grant>();
  /** Connections that count here and will close soon. */
  #leaving = 0;
  readonly #unused: (() => void) | undefined;

  /** @param unused  called whenever nobody counts or waits here any more */
  constructor(unused?: () => void) {
    this.#unused = unused;
  }

  /** Somebody without any connection waits, and nobody is on the way out for him yet. */
  get wanted(): boolean {
    return this.#starving.size > this.#leaving;
  }

  /** Somebody else than `owner` waits, and nobody is on the way out for him yet. */
  wantedBesides(owner: Waiter): boolean {
    const own = this.#starving.has(owner) || this.#waiting.has(owner) ? 1 : 0;
    return this.#starving.size + this.#waiting.size - own > this.#leaving;
  }

  /** Who waits already keeps his turn. An idle connection that holds a place here leaves for him. */
  wait(who: Waiter, limit: number): void {
    const { starving } = who;
    if (starving) {
      this.#waiting.delete(who);
      this.#starving.set(who, limit);
    } else if (!this.#starving.has(who)) this.#waiting.set(who, limit);
    if (this.#starving.size + this.#waiting.size <= this.#leaving) return;
    for (const idle of this.#resting) {
      if (idle.belongsTo(who)) continue;
      idle.recall();
      return;
    }
  }

  forget(who: Waiter): void {
    if ((this.#starving.delete(who) || this.#waiting.delete(who)) && this.open === 0) this.#tellUnused();
  }

  /** Wakes the next waiter for whom there is room. */
  offer(): void {
    for (const line of [this.#starving, this.#waiting]) {
      for (const [who, limit] of line) {
        if (this.open >= limit) return;
        line.delete(who);
        who.offered(this);
        return;
      }
    }
    if (this.open === 0) this.#tellUnused();
  }

  /** For grants only. */
  take(): void {
    this.open++;
  }

  give(left: boolean): void {
    this.open--;
    if (left) this.#leaving--;
    this.offer();
  }

  leave(): void {
    this.#leaving++;
  }

  rest(grant: Grant, resting: boolean): void {
    if (resting) this.#resting.add(grant);
    else this.#resting.delete(grant);
  }

  #tellUnused(): void {
    if (this.#starving.size + this.#waiting.size === 0) this.#unused?.();
  }
}

/**
 * An open connection's places under every cap that counts it, and the units that are kept for its first message;
 * giving it back twice is harmless.
 */
export class Grant implements Disposable {
  readonly #owner: Waiter;
  #caps: readonly Cap[];
  #claims: readonly Disposable[];
  #leaving = false;
  #recall: (() => void) | undefined;

  constructor(owner: Waiter, caps: readonly Cap[], claims: readonly Disposable[] = NO_CLAIMS) {
    this.#owner = owner;
    this.#caps = caps;
    this.#claims = claims;
    for (const cap of caps) cap.take();
  }

  belongsTo(who: Waiter): boolean {
    return this.#owner === who;
  }

  /** Whether somebody who has no connection at all waits for a place that this one holds. */
  get wanted(): boolean {
    if (this.#leaving) return false;
    for (const cap of this.#caps) if (cap.wanted) return true;
    return false;
  }

  /** The connection has nothing to do: `recall` is called when somebody else wants its place, perhaps at once. */
  rest(recall: () => void): void {
    if (this.#leaving) return;
    for (const cap of this.#caps) {
      if (!cap.wantedBesides(this.#owner)) continue;
      this.leave();
      recall();
      return;
    }
    const known = this.#recall !== undefined;
    this.#recall = recall;
    if (!known) for (const cap of this.#caps) cap.rest(this, true);
  }

  /** The connection is ready and asks: nothing is kept for it any more. */
  ask(): void {
    if (this.#claims.length === 0) return;
    for (const claim of this.#claims) claim[Symbol.dispose]();
    this.#claims = NO_CLAIMS;
  }

  /** It has something to do again. */
  work(): void {
    if (this.#recall === undefined) return;
    this.#recall = undefined;
    for (const cap of this.#caps) cap.rest(this, false);
  }

  /** For caps: whoever rests is asked to leave. */
  recall(): void {
    const recall = this.#recall;
    this.leave();
    recall?.();
  }

  /** Its connection will close as soon as it can: nobody else need leave for the same waiter. */
  leave(): void {
    this.work();
    if (this.#leaving) return;
    this.#leaving = true;
    for (const cap of this.#caps) cap.leave();
  }

  [Symbol.dispose](): void {
    this.ask();
    this.work();
    const caps = this.#caps;
    this.#caps = [];
    for (const cap of caps) cap.give(this.#leaving);
  }
}
