import type { Millis } from '../base/index.ts';
import type { MessageId } from './message.ts';

/** Gives ids of messages, batches and connections; no id is ever given twice by one allocator. */
export interface Ids {
  /** @param date wall clock, milliseconds since the epoch */
  next(date: Millis): MessageId;
}

/** What an id is made of (manual page message_id). */
export interface IdParts {
  /** 0 to 65535, wraps. */
  readonly counter: number;
  /** 0 to 65535: which event loop of which start; Momentum has its process id here. */
  readonly instance: number;
  /** Epoch second of creation, 32 bits. */
  readonly second: number;
}

/** Stands where there is no connection and no batch. */
export const nullId = '00/00-00000-00000000' as MessageId;

/**
 * An allocator for one event loop. 65,536 ids fit into a second; when they are used up it goes on with the next second,
 * ahead of the clock, and it never goes back when the wall clock does.
 *
 * @param parts.instance 0 to 65535; two allocators that may give ids in the same second need different ones
 */
export function idAllocator(parts: { readonly instance: number }): Ids {
  const instance = parts.instance;
  if (!isWord(instance)) throw new RangeError(`the instance of an id must be 0 to 65535, not ${instance}`);
  let second = -1;
  let left = 0;
  let counter = 0;
  let tail = '';
  return {
    next(date) {
      const now = Math.floor(date / 1000);
      if (now > second || left === 0) {
        second = now > second ? now : second + 1;
        left = 65_536;
        tail = tailOf(instance, second);
      }
      left -= 1;
      counter = (counter + 1) & 0xffff;
      return headOf(counter, tail) as MessageId;
    },
  };
}

/** @throws RangeError when a part does not fit its field */
export function formatId(parts: IdParts): MessageId {
  if (!isWord(parts.counter) || !isWord(parts.instance) || !isLong(parts.second)) {
    throw new RangeError(`no message id can be made of ${parts.counter}, ${parts.instance}, ${parts.second}`);
  }
  return headOf(parts.counter, tailOf(parts.instance, parts.second)) as MessageId;
}

/** Where each digit stands in `XX/YY-PPPPP-SSSSSSSS`, the lowest of a number first. */
const COUNTER_AT: readonly number[] = [0, 1, 3, 4];
const INSTANCE_FROM = 6;
const SECOND_AT: readonly number[] = [12, 13, 14, 15, 16, 17, 18, 19];

/** @returns undefined when the text is not an id in its one canonical form */
export function parseId(text: string): IdParts | undefined {
  // By character and without a pattern: every message that waits has two of them taken apart.
  if (text.length !== 20 || text[2] !== '/' || text[5] !== '-' || text[11] !== '-') return undefined;
  const counter = backwards(text, COUNTER_AT);
  const second = backwards(text, SECOND_AT);
  let instance = 0;
  for (let at = INSTANCE_FROM; at < INSTANCE_FROM + 5; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    instance = instance * 10 + digit;
  }
  return counter === -1 || second === -1 || !isWord(instance) ? undefined : { counter, instance, second };
}

/** An id that an operator or a file named. @returns undefined when the text is not one */
export function messageId(text: string): MessageId | undefined {
  return parseId(text) === undefined ? undefined : (text as MessageId);
}

/**
 * The `message_id` of the event stream: node, second, instance and counter, each little-endian, as 20 hex digits.
 *
 * @param node 0 to 65535
 */
export function eventId(id: MessageId, node: number): string {
  const parts = parseId(id);
  if (parts === undefined || !isWord(node)) throw new RangeError(`no event id for ${id} of node ${node}`);
  const bytes = Buffer.allocUnsafe(10);
  bytes.writeUInt16LE(node, 0);
  bytes.writeUInt32LE(parts.second, 2);
  bytes.writeUInt16LE(parts.instance, 6);
  bytes.writeUInt16LE(parts.counter, 8);
  return bytes.toString('hex');
}

/** The Message-ID of a message that came without one: `<C2.10.00812.001F3556@mx.example.com>`. */
export function messageIdValue(id: MessageId, hostname: string): string {
  return `<${id.replace(/[/-]/g, '.')}@${hostname}>`;
}

/** Two hex digits, the low one first: a number written backwards is its low byte's pair, then the next byte's. */
const backwardPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const digits = byte.toString(16).toUpperCase().padStart(2, '0');
  return `${digits[1]}${digits[0]}`;
});

const pair = (byte: number): string => backwardPairs[byte & 0xff] as string;

function headOf(counter: number, tail: string): string {
  return `${pair(counter)}/${pair(counter >>> 8)}${tail}`;
}

function tailOf(instance: number, second: number): string {
  const digits = pair(second) + pair(second >>> 8) + pair(second >>> 16) + pair(second >>> 24);
  return `-${String(instance).padStart(5, '0')}-${digits}`;
}

/** @returns -1 when one of them is no upper-case hex digit */
function backwards(text: string, places: readonly number[]): number {
  let value = 0;
  for (let index = places.length - 1; index >= 0; index--) {
    const code = text.charCodeAt(places[index] ?? 0);
    const digit = code <= 0x39 ? code - 0x30 : code >= 0x41 && code <= 0x46 ? code - 0x37 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

const isWord = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff;
const isLong = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
