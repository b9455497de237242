/** What came in and was not read yet, in one piece: mostly the chunk that the pipe gave, as it is. */
export class HeldBytes {
  bytes: Buffer = EMPTY;
  /** Where that which was not read begins. */
  at = 0;
  /** What `bytes` is a part of, when it came in small pieces. */
  #room: Buffer | undefined = undefined;

  get length(): number {
    return this.bytes.length - this.at;
  }

  add(bytes: Buffer): void {
    if (this.at === this.bytes.length) {
      this.bytes = bytes;
      this.#room = undefined;
    } else this.#append(bytes);
    this.at = 0;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.at = 0;
  }

  /** Behind what came in small pieces there is room for more: who sends byte by byte does not make us copy it all each time. */
  #append(bytes: Buffer): void {
    const held = this.bytes;
    const length = held.length - this.at;
    if (bytes.length >= length) {
      this.bytes = Buffer.concat([held.subarray(this.at), bytes]);
      return;
    }
    let room = this.#room;
    let from = held.byteOffset + this.at;
    // What was given out lies before what is held, and is never written again.
    if (room === undefined || held.buffer !== room.buffer || from + length + bytes.length > room.length) {
      room = Buffer.allocUnsafeSlow(2 * (length + bytes.length));
      room.set(held.subarray(this.at));
      this.#room = room;
      from = 0;
    }
    room.set(bytes, from + length);
    this.bytes = room.subarray(from, from + length + bytes.length);
  }
}

const EMPTY = Buffer.alloc(0);
