/**
 * A count of open connections that several pairs may share: the whole server, a binding, a declaring stanza, an MX
 * host. The limit is not part of it, since each generation may bring another.
 */
export class Cap {
  open = 0;
  readonly #waiting = new Set<() => void>();

  /** `wake` is called once, when a connection that counted here has been given back. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
  }

  give(): void {
    this.open--;
    for (const wake of this.#waiting) {
      this.#waiting.delete(wake);
      wake();
      // One connection made room for one: the others keep their turn.
      if (this.#waiting.size > 0) break;
    }
  }
}

/** An open connection's places under every cap that counts it; giving it back twice is harmless. */
export class Grant implements Disposable {
  #caps: readonly Cap[] | undefined;

  constructor(caps: readonly Cap[]) {
    this.#caps = caps;
    for (const cap of caps) cap.open++;
  }

  [Symbol.dispose](): void {
    const caps = this.#caps;
    this.#caps = undefined;
    if (caps !== undefined) for (const cap of caps) cap.give();
  }
}
