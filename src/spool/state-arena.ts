const CHUNK_BYTES = 1_048_576;

/** State bytes of many receptions between the two walks of recovery: no object for each. */
export class StateArena {
  readonly #chunks: Buffer[] = [];
  #used = CHUNK_BYTES;
  /** Slot → chunk · CHUNK_BYTES + offset, plus 1; 0: none. Then its length. */
  #places = new Float64Array(0);
  #lengths = new Uint32Array(0);

  put(slot: number, bytes: Uint8Array): void {
    if (slot >= this.#places.length) this.#widen(slot);
    // States of one reception are mostly of one length: a later one takes the place of the one before.
    if (this.#places[slot] === 0 || this.#lengths[slot]! < bytes.length)
      this.#places[slot] = this.#room(bytes.length) + 1;
    const place = this.#places[slot]! - 1;
    this.#lengths[slot] = bytes.length;
    this.#chunks[Math.floor(place / CHUNK_BYTES)]!.set(bytes, place % CHUNK_BYTES);
  }

  /** @returns a copy */
  get(slot: number): Uint8Array | undefined {
    const place = (this.#places[slot] ?? 0) - 1;
    if (place < 0) return undefined;
    const at = place % CHUNK_BYTES;
    return Uint8Array.prototype.slice.call(
      this.#chunks[Math.floor(place / CHUNK_BYTES)]!,
      at,
      at + this.#lengths[slot]!,
    );
  }

  drop(slot: number): void {
    if (slot < this.#places.length) this.#places[slot] = 0;
  }

  #room(length: number): number {
    if (length > CHUNK_BYTES - this.#used) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, length)));
      this.#used = 0;
    }
    const place = (this.#chunks.length - 1) * CHUNK_BYTES + this.#used;
    this.#used += length;
    return place;
  }

  #widen(slot: number): void {
    const size = Math.max(1024, 2 ** Math.ceil(Math.log2(slot + 1)));
    const places = new Float64Array(size);
    places.set(this.#places);
    this.#places = places;
    const lengths = new Uint32Array(size);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}
