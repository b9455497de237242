import { bindingName, type Millis } from '../base/index.ts';
import {
  type Context,
  type Envelope,
  type EnvelopeRecipient,
  formatId,
  type MessageId,
  parseId,
  type ReceptionProtocol,
} from '../message/index.ts';

/*
 * What a waiting message costs in memory is decided here: an envelope of objects takes about 900 bytes, packed it is one
 * string of about 100. Numbers stand in it as bytes, so that V8 keeps it at one byte a character; texts have their
 * length before them. Whatever is taken for delivery is unpacked first.
 */

const PROTOCOLS: readonly ReceptionProtocol[] = ['esmtp', 'rest', 'ecstream', 'xfer', 'internal'];
const SAME_ID = 1;
const SAME_BINDING = 2;
const USUAL_BINDING = bindingName('default');

/**
 * `receivedAt` is not in it: whoever keeps the string keeps the time as a number.
 *
 * @param withContext  false: the context is kept beside it, shared with others
 */
export function packEnvelope(envelope: Envelope, withContext: boolean): string {
  const { recipients, context } = envelope;
  let packed = idBytes(envelope.batchId) + idBytes(envelope.connectionId);
  packed += String.fromCharCode(PROTOCOLS.indexOf(envelope.protocol)) + numberBytes(envelope.size, 6);
  packed += lengthAndText(envelope.reversePath) + lengthAndText(envelope.peer) + numberBytes(recipients.length, 3);
  let binding = USUAL_BINDING;
  for (const to of recipients) {
    const sameId = to.id === envelope.batchId;
    const sameBinding = to.binding === binding;
    packed += String.fromCharCode((sameId ? SAME_ID : 0) | (sameBinding ? SAME_BINDING : 0));
    if (!sameId) packed += idBytes(to.id);
    packed += lengthAndText(to.path);
    if (!sameBinding) packed += lengthAndText(to.binding);
    binding = to.binding;
  }
  return flat(withContext ? packed + JSON.stringify(context) : packed);
}

/** @param packed  as `packEnvelope` made it @param shared  the context, where it is not in there */
export function unpackEnvelope(packed: string, receivedAt: Millis, shared: Context | undefined): Envelope {
  const reader = new Reader(packed);
  const batchId = reader.id();
  const connectionId = reader.id();
  const protocol = PROTOCOLS[reader.number(1)] ?? 'esmtp';
  const size = reader.number(6);
  const reversePath = reader.text();
  const peer = reader.text();
  const recipients: EnvelopeRecipient[] = [];
  let binding = USUAL_BINDING;
  for (let left = reader.number(3); left > 0; left--) {
    const flags = reader.number(1);
    const id = (flags & SAME_ID) !== 0 ? batchId : reader.id();
    const path = reader.text();
    if ((flags & SAME_BINDING) === 0) binding = bindingName(reader.text());
    recipients.push({ id, path, binding });
  }
  const context = shared ?? (JSON.parse(reader.rest) as Context);
  return { batchId, connectionId, receivedAt, reversePath, recipients, protocol, peer, size, context };
}

/** Whether an id may be that of a recipient, or of the batch: a search through everything asks this first. */
export function mayHold(packed: string, id: MessageId): boolean {
  return packed.includes(idBytes(id));
}

const WIDE = /[^\x00-\xff]/;

class Reader {
  readonly #packed: string;
  #at = 0;

  constructor(packed: string) {
    this.#packed = packed;
  }

  get rest(): string {
    return this.#packed.slice(this.#at);
  }

  number(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#packed.charCodeAt(this.#at++);
    return value;
  }

  id(): MessageId {
    return formatId({ counter: this.number(2), instance: this.number(2), second: this.number(4) });
  }

  text(): string {
    const length = this.number(2);
    const from = this.#at;
    this.#at += length;
    return this.#packed.slice(from, this.#at);
  }
}

/** A string that was put together is a tree of its parts, each with a head of its own: one that is kept must be one piece. */
function flat(text: string): string {
  return WIDE.test(text)
    ? Buffer.from(text, 'utf16le').toString('utf16le')
    : Buffer.from(text, 'latin1').toString('latin1');
}

function numberBytes(value: number, bytes: number): string {
  let text = '';
  for (let left = value; bytes > 0; bytes--) {
    text = String.fromCharCode(left % 256) + text;
    left = Math.floor(left / 256);
  }
  return text;
}

function idBytes(id: MessageId): string {
  const parts = parseId(id);
  if (parts === undefined) throw new RangeError(`'${id}' is no message id`);
  return numberBytes(parts.counter, 2) + numberBytes(parts.instance, 2) + numberBytes(parts.second, 4);
}

/** Paths and names are of a few hundred characters at most (RFC 5321 §4.5.3.1). */
function lengthAndText(text: string): string {
  if (text.length > 0xffff) throw new RangeError('a text in an envelope is longer than any path can be');
  return numberBytes(text.length, 2) + text;
}
