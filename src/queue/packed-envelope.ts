import { bindingName, millis } from '../base/index.ts';
import {
  type Context,
  type Envelope,
  type EnvelopeRecipient,
  type MessageId,
  messageId,
  nullId,
  type ReceptionProtocol,
} from '../message/index.ts';

/*
 * What a waiting message costs in memory is decided here: an envelope of objects takes about 900 bytes, packed it is one
 * string of about 150. Whatever is taken for delivery is unpacked first.
 */

type Packed = readonly [
  batchId: string,
  /** 0: the null id. */
  connectionId: string | 0,
  receivedAt: number,
  reversePath: string,
  protocol: ReceptionProtocol | 0,
  peer: string,
  size: number,
  /** Three entries a recipient: id (0: that of the batch), path, binding (0: that of the one before, `default` at first). */
  recipients: readonly (string | 0)[],
  context?: Context,
];

export function packEnvelope(envelope: Envelope): string {
  const recipients: (string | 0)[] = [];
  let binding = 'default';
  for (const to of envelope.recipients) {
    recipients.push(to.id === envelope.batchId ? 0 : to.id, to.path, to.binding === binding ? 0 : to.binding);
    binding = to.binding;
  }
  const { connection, message } = envelope.context;
  const plain: Packed = [
    envelope.batchId,
    envelope.connectionId === nullId ? 0 : envelope.connectionId,
    envelope.receivedAt,
    envelope.reversePath,
    envelope.protocol === 'esmtp' ? 0 : envelope.protocol,
    envelope.peer,
    envelope.size,
    recipients,
  ];
  return JSON.stringify(isEmpty(connection) && isEmpty(message) ? plain : [...plain, envelope.context]);
}

/** @param text  as `packEnvelope` made it */
export function unpackEnvelope(text: string): Envelope {
  const [batchId, connectionId, receivedAt, reversePath, protocol, peer, size, flat, context] = JSON.parse(
    text,
  ) as Packed;
  const recipients: EnvelopeRecipient[] = [];
  let binding = bindingName('default');
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const own = flat[i + 2];
    if (typeof own === 'string') binding = bindingName(own);
    recipients.push({ id: id(flat[i] || batchId), path: flat[i + 1] || '', binding });
  }
  return {
    batchId: id(batchId),
    connectionId: connectionId === 0 ? nullId : id(connectionId),
    receivedAt: millis(receivedAt),
    reversePath,
    recipients,
    protocol: protocol === 0 ? 'esmtp' : protocol,
    peer,
    size,
    context: context ?? { connection: {}, message: {} },
  };
}

function id(text: string): MessageId {
  return messageId(text) ?? nullId;
}

function isEmpty(dictionary: Readonly<Record<string, string>>): boolean {
  for (const key in dictionary) if (Object.hasOwn(dictionary, key)) return false;
  return true;
}
