import type { Millis } from '../base/index.ts';
import type { Context, Envelope, MessageId } from '../message/index.ts';
import { idBytes, packEnvelope, unpackEnvelope } from './packed-envelope.ts';

/** Where a packed envelope is kept. */
export type EnvelopeRef = number;
/** No envelope. */
export const NOWHERE: EnvelopeRef = -1;

const UNIT = 8;
const PAGE_UNITS = 65_536;
const LENGTH_BYTES = 4;
/** Distinct contexts that are shared; sessions of one listener mostly have the same one. */
const MOST_CONTEXTS = 1024;
/** ECStream's key of one message (spec ecstream 4). */
const OWN_KEY = 'ec_dedup';

/**
 * Packed envelopes of waiting mail, outside the heap of the language: a heap is let grow by half before it is collected,
 * and walked whole then; pages of bytes are neither. A place that becomes free is taken by the next envelope that
 * needs as many units.
 */
export class EnvelopeStore {
  readonly #pages: Buffer[] = [];
  /** Units used of the last page. */
  #used = PAGE_UNITS;
  /** By size in units, the places that are free. */
  readonly #free = new Map<number, EnvelopeRef[]>();
  /** Longer than a page: thousands of recipients. By negative references. */
  readonly #long = new Map<EnvelopeRef, Buffer>();
  #nextLong: EnvelopeRef = NOWHERE - 1;
  /** Unpacked last: who goes through the recipients of one message asks for each of them. */
  #last: { readonly ref: EnvelopeRef; readonly envelope: Envelope } | undefined;
  readonly #contexts: Context[] = [];
  readonly #contextNumbers = new Map<string, number>();

  put(envelope: Envelope): EnvelopeRef {
    const context = this.#share(envelope.context);
    const packed = packEnvelope(envelope, context);
    const units = Math.ceil((LENGTH_BYTES + packed.length) / UNIT);
    if (units > PAGE_UNITS) {
      const ref = this.#nextLong--;
      this.#long.set(ref, packed);
      return ref;
    }
    const ref = this.#free.get(units)?.pop() ?? this.#room(units);
    const page = this.#page(ref);
    const at = (ref % PAGE_UNITS) * UNIT;
    page.writeUInt32LE(packed.length, at);
    packed.copy(page, at + LENGTH_BYTES);
    return ref;
  }

  get(ref: EnvelopeRef, receivedAt: Millis): Envelope {
    if (this.#last?.ref !== ref) {
      const envelope = unpackEnvelope(this.#bytes(ref), receivedAt, this.#contexts);
      this.#last = { ref, envelope };
    }
    return this.#last.envelope;
  }

  /** Whether an id may be in it: cheap, for searches through everything. */
  mayHold(ref: EnvelopeRef, id: MessageId): boolean {
    return this.#bytes(ref).includes(idBytes(id));
  }

  /** The place is free for others; the reference means nothing any more. */
  release(ref: EnvelopeRef): void {
    if (this.#last?.ref === ref) this.#last = undefined;
    if (ref < NOWHERE) {
      this.#long.delete(ref);
      return;
    }
    const length = this.#page(ref).readUInt32LE((ref % PAGE_UNITS) * UNIT);
    const units = Math.ceil((LENGTH_BYTES + length) / UNIT);
    const free = this.#free.get(units);
    if (free === undefined) this.#free.set(units, [ref]);
    else free.push(ref);
  }

  #room(units: number): EnvelopeRef {
    if (this.#used + units > PAGE_UNITS) {
      this.#pages.push(Buffer.allocUnsafeSlow(PAGE_UNITS * UNIT));
      this.#used = 0;
    }
    const ref = (this.#pages.length - 1) * PAGE_UNITS + this.#used;
    this.#used += units;
    return ref;
  }

  #bytes(ref: EnvelopeRef): Buffer {
    const long = this.#long.get(ref);
    if (long !== undefined) return long;
    const page = this.#page(ref);
    const at = (ref % PAGE_UNITS) * UNIT;
    return page.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + page.readUInt32LE(at));
  }

  #page(ref: EnvelopeRef): Buffer {
    const page = this.#pages[Math.floor(ref / PAGE_UNITS)];
    if (page === undefined) throw new RangeError(`no envelope is kept at ${ref}`);
    return page;
  }

  /** @returns the number of a context that many have; undefined when there are too many different ones to be worth it */
  #share(context: Context): number | undefined {
    // No two messages have the same key: to share it would only fill the places of contexts that are the same.
    if (context.message[OWN_KEY] !== undefined) return undefined;
    const text = JSON.stringify(context);
    const known = this.#contextNumbers.get(text);
    if (known !== undefined || this.#contexts.length >= MOST_CONTEXTS) return known;
    // A copy, so that nobody who still holds the first one can change it for all.
    this.#contexts.push(JSON.parse(text) as Context);
    this.#contextNumbers.set(text, this.#contexts.length - 1);
    return this.#contexts.length - 1;
  }
}
