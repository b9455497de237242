import { type Reply, reply } from '../smtp/index.ts';
import { type ContextValues, MOST_VALUES, NO_VALUES, type WireEnvelope, type WireRecipient } from './envelope.ts';
import type { Hello, Welcome } from './frames.ts';

/** A payload whose fields run past its end. Thrown and caught inside this room: it costs nothing where nothing is wrong. */
export class Malformed extends Error {}

const malformed = (): never => {
  throw new Malformed('a field runs past the frame');
};

/** Reads the fields of one payload, one after the other. */
class Fields {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  u8(): number {
    return this.bytes[this.#take(1)] as number;
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }

  text(length: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    const from = this.#take(length);
    return encoding === 'latin1'
      ? this.bytes.toString('latin1', from, from + length)
      : this.bytes.toString('utf8', from, from + length);
  }

  view(length: number): Buffer {
    const from = this.#take(length);
    return this.bytes.subarray(from, from + length);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  #take(length: number): number {
    const from = this.at;
    if (from + length > this.bytes.length) malformed();
    this.at = from + length;
    return from;
  }
}

function readContext(fields: Fields): ContextValues {
  const count = fields.u16();
  if (count === 0) return NO_VALUES;
  // Each takes six bytes at least: a count that cannot be true costs nothing.
  if (count * 6 > fields.left) malformed();
  if (count > MOST_VALUES) throw new Malformed(`more than ${MOST_VALUES} context values`);
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let left = count; left > 0; left -= 1) {
    const name = fields.text(fields.u16());
    values[name] = fields.text(fields.u32());
  }
  return values;
}

export function readHello(payload: Buffer): Hello {
  const fields = new Fields(payload);
  const lowest = fields.u8();
  const highest = fields.u8();
  fields.u16();
  const capabilities = fields.u32();
  const client = fields.text(fields.u16());
  return { lowest, highest, capabilities, client, host: fields.text(fields.u16()) };
}

export function readWelcome(payload: Buffer): Welcome {
  const fields = new Fields(payload);
  const version = fields.u8();
  const auth = fields.u8() === 1;
  const maxRecipients = fields.u16();
  const capabilities = fields.u32();
  const maxFrame = fields.u32();
  const maxMessage = fields.u32();
  const windowMessages = fields.u32();
  const windowBytes = fields.u32();
  const ackMillis = fields.u16();
  fields.u16();
  const host = fields.text(fields.u16());
  return {
    version,
    auth,
    maxRecipients,
    capabilities,
    maxFrame,
    maxMessage,
    windowMessages,
    windowBytes,
    ackMillis,
    host,
  };
}

export function readAuth(payload: Buffer): { readonly mechanism: number; readonly response: Buffer } {
  const fields = new Fields(payload);
  const mechanism = fields.u8();
  return { mechanism, response: fields.view(fields.u16()) };
}

/** @returns the envelope, and the part of the body behind it as a view */
export function readMessage(payload: Buffer): { readonly envelope: WireEnvelope; readonly body: Buffer } {
  const fields = new Fields(payload);
  const flags = fields.u8();
  fields.u8();
  const count = fields.u16();
  if (count === 0) throw new Malformed('a message without recipients');
  const sender = fields.text(fields.u16(), 'latin1');
  const context = readContext(fields);
  // Each takes four bytes at least.
  if (count * 4 > fields.left) malformed();
  const recipients: WireRecipient[] = [];
  for (let left = count; left > 0; left -= 1) {
    const address = fields.text(fields.u16(), 'latin1');
    recipients.push({ address, context: readContext(fields) });
  }
  return { envelope: { flags, sender, context, recipients }, body: payload.subarray(fields.at) };
}

/** @param withIds  whether IDS is on */
export function readAck(
  payload: Buffer,
  withIds: boolean,
): { readonly accepted: number; readonly ids: readonly string[] } {
  const fields = new Fields(payload);
  const accepted = fields.u32();
  const ids: string[] = [];
  if (withIds) {
    if (accepted > fields.left) malformed();
    for (let left = accepted; left > 0; left -= 1) ids.push(fields.text(fields.u8(), 'latin1'));
  }
  return { accepted, ids };
}

export function readReply(payload: Buffer): { readonly index: number; readonly reply: Reply } {
  const fields = new Fields(payload);
  const index = fields.u16();
  const code = fields.u16();
  const kind = fields.u8();
  fields.u8();
  const subject = fields.u16();
  const detail = fields.u16();
  const text = fields.text(fields.u16());
  if (code < 400 || code > 599) throw new Malformed(`a reply with code ${code}`);
  return { index, reply: reply(code, kind === 0 ? undefined : `${kind}.${subject}.${detail}`, text) };
}

export function readWindow(payload: Buffer): { readonly messages: number; readonly bytes: number } {
  const fields = new Fields(payload);
  return { messages: fields.u32(), bytes: fields.u32() };
}

export function readPing(payload: Buffer): Buffer {
  return new Fields(payload).view(8);
}

export function readBye(payload: Buffer): { readonly code: number; readonly text: string } {
  const fields = new Fields(payload);
  return { code: fields.u16(), text: fields.text(fields.u16()) };
}
