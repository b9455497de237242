import type { AttemptEvent } from '../../events/index.ts';
import { replyText } from '../../smtp/index.ts';
import type { LineFormat } from '../log-text.ts';
import { domainPart, localPart } from '../log-text.ts';

/** The stage of bounces that came as mail. */
export const outOfBandStage = 21;

/** B for a permanent failure, T for a transient one. */
export const bounceLine: LineFormat<AttemptEvent> = (event, stamp, { field, last }) =>
  `${stamp}@${event.messageId}@${event.batchId}@${event.connectionId}@${event.kind === 'permanent' ? 'B' : 'T'}` +
  `@${field(localPart(event.recipient))}@${field(domainPart(event.recipient))}` +
  `@${field(localPart(event.sender))}@${field(domainPart(event.sender))}@${field(event.bindingGroup)}@${field(event.binding)}` +
  `@${event.stage}@${event.bounceClass}@${event.size}@${field(event.address)}@${last(replyText(event.reply))}`;

/** Out-of-band reports that mail is late, and requests to be put on a list, are no bounces. */
export const isLoggedOutOfBand = (bounceClass: number): boolean => bounceClass !== 70 && bounceClass !== 80;
