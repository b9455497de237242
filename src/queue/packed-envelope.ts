import { bindingName, type Millis } from '../base/index.ts';
import {
  type Context,
  type Envelope,
  type EnvelopeRecipient,
  formatId,
  type MessageId,
  parseId,
  type ReceptionProtocol,
  type RecipientRequests,
  type Refusal,
  type SenderRequests,
} from '../message/index.ts';

/*
 * What a waiting message costs in memory is decided here: an envelope of objects takes about 900 bytes, packed it is
 * about 100. Texts have their length before them. Whatever is taken for delivery is unpacked first.
 */

const PROTOCOLS: readonly ReceptionProtocol[] = ['esmtp', 'rest', 'ecstream', 'xfer', 'internal'];
const SAME_ID = 1;
const SAME_BINDING = 2;
/** What this recipient was asked for, or refused for, follows as JSON: few have any. */
const MORE = 4;
/** Variables of its own follow as JSON. */
const WITH_CONTEXT = 8;
/** In the byte of the protocol: what the sender asked for follows as JSON. */
const ASKED = 0x80;
const USUAL_BINDING = bindingName('default');
/** In place of the number of a shared context: its text follows at the end. */
const OWN_CONTEXT = 0xffff;
/** Id, protocol, size, context, recipients. */
const ID_BYTES = 8;

/**
 * `receivedAt` is not in it: whoever keeps the bytes keeps the time as a number.
 *
 * @param context  the number under which the context is shared; undefined: it is packed as well
 */
export function packEnvelope(envelope: Envelope, context: number | undefined): Buffer {
  const { recipients } = envelope;
  const own = context === undefined ? JSON.stringify(envelope.context) : '';
  const asked = envelope.requests === undefined ? '' : JSON.stringify(envelope.requests);
  const more = recipients.map(moreOf);
  const writer = new Writer(envelope, own.length + asked.length + more.reduce((sum, each) => sum + each.length, 0));
  writer.id(envelope.batchId);
  writer.id(envelope.connectionId);
  writer.number(PROTOCOLS.indexOf(envelope.protocol) | (asked === '' ? 0 : ASKED), 1);
  writer.number(envelope.size, 6);
  writer.number(context ?? OWN_CONTEXT, 2);
  writer.text(envelope.reversePath);
  writer.text(envelope.peer);
  if (asked !== '') writer.text(asked);
  writer.number(recipients.length, 3);
  let binding = USUAL_BINDING;
  for (const [index, to] of recipients.entries()) {
    const extra = more[index] ?? '';
    const sameId = to.id === envelope.batchId;
    const sameBinding = to.binding === binding;
    const variables = to.context === undefined ? 0 : WITH_CONTEXT;
    const flags = (sameId ? SAME_ID : 0) | (sameBinding ? SAME_BINDING : 0) | (extra === '' ? 0 : MORE) | variables;
    writer.number(flags, 1);
    if (!sameId) writer.id(to.id);
    writer.text(to.path);
    if (!sameBinding) writer.text(to.binding);
    if (extra !== '') writer.text(extra);
    if (to.context !== undefined) writer.long(JSON.stringify(to.context));
    binding = to.binding;
  }
  return writer.end(own);
}

/** @param packed  as `packEnvelope` made it @param contexts  the shared ones, by number */
export function unpackEnvelope(packed: Buffer, receivedAt: Millis, contexts: readonly Context[]): Envelope {
  const reader = new Reader(packed);
  const batchId = reader.id();
  const connectionId = reader.id();
  const first = reader.number(1);
  const protocol = PROTOCOLS[first & ~ASKED] ?? 'esmtp';
  const size = reader.number(6);
  const number = reader.number(2);
  const reversePath = reader.text();
  const peer = reader.text();
  const requests = (first & ASKED) === 0 ? undefined : (JSON.parse(reader.text()) as SenderRequests);
  const recipients: EnvelopeRecipient[] = [];
  let binding = USUAL_BINDING;
  for (let left = reader.number(3); left > 0; left--) {
    const flags = reader.number(1);
    const id = (flags & SAME_ID) !== 0 ? batchId : reader.id();
    const path = reader.text();
    if ((flags & SAME_BINDING) === 0) binding = bindingName(reader.text());
    const more = (flags & MORE) === 0 ? undefined : (JSON.parse(reader.text()) as More);
    const own = (flags & WITH_CONTEXT) === 0 ? undefined : { context: JSON.parse(reader.long()) as Variables };
    recipients.push({ id, path, binding, ...more, ...own });
  }
  const context = number === OWN_CONTEXT ? (JSON.parse(reader.rest()) as Context) : contexts[number];
  if (context === undefined) throw new RangeError(`no context is shared under ${number}`);
  const envelope = { batchId, connectionId, receivedAt, reversePath, recipients, protocol, peer, size, context };
  return requests === undefined ? envelope : { ...envelope, requests };
}

type Variables = Readonly<Record<string, string>>;

interface More {
  readonly requests?: RecipientRequests;
  readonly refused?: Refusal;
}

const moreOf = ({ requests, refused }: EnvelopeRecipient): string =>
  requests === undefined && refused === undefined ? '' : JSON.stringify({ requests, refused });

/** An id as it stands in a packed envelope. */
export function idBytes(id: MessageId): Buffer {
  const bytes = Buffer.allocUnsafe(ID_BYTES);
  writeId(bytes, 0, id);
  return bytes;
}

function writeId(bytes: Buffer, at: number, id: MessageId): void {
  const parts = parseId(id);
  if (parts === undefined) throw new RangeError(`'${id}' is no message id`);
  bytes.writeUInt16BE(parts.counter, at);
  bytes.writeUInt16BE(parts.instance, at + 2);
  bytes.writeUInt32BE(parts.second, at + 4);
}

class Writer {
  readonly #bytes: Buffer;
  #at = 0;

  /** @param more  characters of JSON besides */
  constructor(envelope: Envelope, more: number) {
    let most = 64 + 3 * (envelope.reversePath.length + envelope.peer.length + more);
    for (const { path, binding, context: own } of envelope.recipients) {
      most += 16 + 3 * (path.length + binding.length);
      if (own !== undefined) most += 4 + 3 * JSON.stringify(own).length;
    }
    this.#bytes = Buffer.allocUnsafe(most);
  }

  id(id: MessageId): void {
    writeId(this.#bytes, this.#at, id);
    this.#at += ID_BYTES;
  }

  number(value: number, bytes: 1 | 2 | 3 | 6): void {
    this.#at = this.#bytes.writeUIntBE(value, this.#at, bytes);
  }

  /** Paths and names are of a few hundred characters at most (RFC 5321 §4.5.3.1). */
  text(text: string): void {
    const length = this.#bytes.write(text, this.#at + 2, 'utf8');
    if (length > 0xffff) throw new RangeError('a text in an envelope is longer than any path can be');
    this.#bytes.writeUInt16BE(length, this.#at);
    this.#at += 2 + length;
  }

  /** Whatever a client has sent along for a recipient. */
  long(text: string): void {
    const length = this.#bytes.write(text, this.#at + 4, 'utf8');
    this.#bytes.writeUInt32BE(length, this.#at);
    this.#at += 4 + length;
  }

  end(rest: string): Buffer {
    this.#at += this.#bytes.write(rest, this.#at, 'utf8');
    return this.#bytes.subarray(0, this.#at);
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  rest(): string {
    return this.#bytes.toString('utf8', this.#at);
  }

  number(bytes: 1 | 2 | 3 | 6): number {
    const value = this.#bytes.readUIntBE(this.#at, bytes);
    this.#at += bytes;
    return value;
  }

  id(): MessageId {
    const at = this.#at;
    this.#at += ID_BYTES;
    const bytes = this.#bytes;
    return formatId({
      counter: bytes.readUInt16BE(at),
      instance: bytes.readUInt16BE(at + 2),
      second: bytes.readUInt32BE(at + 4),
    });
  }

  long(): string {
    const length = this.#bytes.readUInt32BE(this.#at);
    const from = this.#at + 4;
    this.#at = from + length;
    return this.#bytes.toString('utf8', from, this.#at);
  }

  text(): string {
    const length = this.number(2);
    const from = this.#at;
    this.#at += length;
    return this.#bytes.toString('utf8', from, this.#at);
  }
}
