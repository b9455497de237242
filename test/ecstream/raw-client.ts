import { joined } from '../../src/base/index.ts';
import {
  capabilities,
  FrameReader,
  helloFrame,
  messageFrame,
  NO_VALUES,
  PREFACE,
  types,
} from '../../src/ecstream/index.ts';
import type { ConnectHost, Pipe } from '../../src/world/index.ts';
import { AT, type StreamHouse } from './house.ts';

/** Preface and HELLO. */
export const hello = (wanted: number): Buffer =>
  Buffer.concat([
    Buffer.from(PREFACE),
    helloFrame({ lowest: 1, highest: 1, capabilities: wanted & capabilities.ids, client: 'raw', host: 'raw.test' }),
  ]);
/** A message that is all there. */
export const raw = (seq: number): Buffer =>
  joined(
    messageFrame(
      seq,
      { flags: 0, sender: '', context: NO_VALUES, recipients: [{ address: 'b@y.test', context: NO_VALUES }] },
      [Buffer.from('Subject: raw\r\n\r\n')],
      true,
    ),
  );

/** Sends what it is given, and tells what it hears as `ack 3`. */
export class RawClient implements ConnectHost {
  readonly frames: string[] = [];
  isClosed = false;
  readonly #reader = new FrameReader(1_048_576);
  readonly #house: StreamHouse;
  readonly #pipe: Pipe;
  #early: Uint8Array[] = [];
  #isOpen = false;

  constructor(house: StreamHouse) {
    this.#house = house;
    this.#pipe = house.world.network.connect(AT, undefined, this);
  }

  /** It sends nothing more, and still reads. */
  finish(): void {
    this.#pipe.end();
  }

  /** Its connection is reset. */
  vanish(): void {
    this.#house.world.network.reset(this.#pipe);
  }

  /** @returns false when the pipe has enough */
  write(bytes: Uint8Array): boolean {
    if (this.#isOpen) return this.#pipe.write([bytes]);
    this.#early.push(bytes);
    return true;
  }

  opened(): void {
    this.#isOpen = true;
    this.#pipe.write(this.#early);
  }

  data(chunk: Uint8Array): void {
    this.#reader.receive(chunk);
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      if (frame.type === 'too long') throw new Error('too long');
      const { type, seq } = frame;
      this.frames.push(`${Object.entries(types).find(([, value]) => value === type)?.[0]} ${seq}`);
    }
  }

  drained(): void {}

  closed(): void {
    this.isClosed = true;
  }
}
