import type { Millis } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { Envelope } from '../message/index.ts';
import type { Events } from './events.ts';

/** A message is durable: one event for each of its recipients, whichever way it came in. */
export function recordReception(
  events: Events,
  generation: Pick<Generation, 'number' | 'groupOf'>,
  envelope: Envelope,
  at: Millis,
): void {
  for (const recipient of envelope.recipients) {
    events.record({
      kind: 'reception',
      at,
      generation: generation.number,
      messageId: recipient.id,
      batchId: envelope.batchId,
      connectionId: envelope.connectionId,
      bindingGroup: generation.groupOf(recipient.binding),
      binding: recipient.binding,
      sender: envelope.reversePath,
      recipient: recipient.path,
      size: envelope.size,
      peer: envelope.peer,
      protocol: envelope.protocol,
      tlsCipher: envelope.context.connection.tls_cipher,
    });
  }
}
