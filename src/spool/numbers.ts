const UNKNOWN = 0;
const DEAD = 1;
const FIRST = 2;

/** Reception numbers → slots, while recovery runs: four bytes for each ordinal of each segment. */
export class Numbers {
  readonly #origins = new Map<number, Uint32Array>();

  #at(origin: number, ordinal: number): number {
    return this.#origins.get(origin)?.[ordinal] ?? UNKNOWN;
  }

  #put(origin: number, ordinal: number, value: number): void {
    let slots = this.#origins.get(origin);
    if (slots === undefined || ordinal >= slots.length) {
      const wider = new Uint32Array(Math.max(1024, 2 ** Math.ceil(Math.log2(ordinal + 1))));
      if (slots) wider.set(slots);
      slots = wider;
      this.#origins.set(origin, slots);
    }
    slots[ordinal] = value;
  }

  /** @returns its slot, or undefined when it is dead or was never heard of */
  slot(origin: number, ordinal: number): number | undefined {
    const value = this.#at(origin, ordinal);
    return value >= FIRST ? value - FIRST : undefined;
  }

  isDead(origin: number, ordinal: number): boolean {
    return this.#at(origin, ordinal) === DEAD;
  }

  setSlot(origin: number, ordinal: number, slot: number): void {
    this.#put(origin, ordinal, slot + FIRST);
  }

  setDead(origin: number, ordinal: number): void {
    this.#put(origin, ordinal, DEAD);
  }
}
