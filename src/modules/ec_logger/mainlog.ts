import type { AttemptEvent, ReceptionEvent } from '../../events/index.ts';
import { replyText } from '../../smtp/index.ts';
import type { LineFormat } from '../log-text.ts';
import { domainPart, localPart, twoDecimals } from '../log-text.ts';

/** R. Mail that came over no IP connection (Unix socket, our own) has the word `unknown` for its peer. */
export const receptionLine: LineFormat<ReceptionEvent> = (event, stamp, { field, last }) =>
  `${stamp}@${event.messageId}@${event.batchId}@${event.connectionId}@R@${field(localPart(event.recipient))}@${field(domainPart(event.recipient))}` +
  `@${field(localPart(event.sender))}@${field(domainPart(event.sender))}@${event.peer === '' ? 'unknown' : field(event.peer)}` +
  `@${event.size}@${event.protocol}@${field(event.bindingGroup)}@${last(event.binding)}`;

/** D. */
export const deliveryLine: LineFormat<AttemptEvent> = (event, stamp, { field, last }) =>
  `${stamp}@${event.messageId}@${event.batchId}@${event.connectionId}@D@${field(event.routingDomain)}@${event.bytes}` +
  `@${field(event.bindingGroup)}@${field(event.binding)}@${event.retries}@${twoDecimals(event.queuedSeconds)}@${last(event.address)}`;

/** T, or P for a permanent failure. */
export const failureLine: LineFormat<AttemptEvent> = (event, stamp, { field, last }) =>
  `${stamp}@${event.messageId}@${event.batchId}@${event.connectionId}@${event.kind === 'permanent' ? 'P' : 'T'}` +
  `@${field(event.routingDomain)}@${event.bytes}@${field(event.bindingGroup)}@${field(event.binding)}@${event.stage}` +
  `@${event.retries}@${twoDecimals(event.queuedSeconds)}@${field(event.address)}@${last(replyText(event.reply))}`;

/** M1: the server is alive. */
export const heartbeatLine = (stamp: string): string => `${stamp}@@@@M1`;
