import { domainOfPath, type Millis } from '../../base/index.ts';
import type { View } from '../../config/index.ts';
import type { WireEnvelope } from '../../ecstream/index.ts';
import type { Reply } from '../../smtp/index.ts';
import { isBlackholed } from '../blackhole.ts';
import type { Client } from '../client.ts';
import { allowNullEnvelopeSender, maxRecipientsPerConnection } from '../options.ts';
import type { RejectionPhase } from '../rejection.ts';
import { transactionMayRelay } from '../relay.ts';
import { replies } from '../replies.ts';
import type { Settings } from '../settings.ts';
import { DEFAULT_BINDING } from '../transaction.ts';
import type { Parcel } from './parcel.ts';
import { contextTrouble, parcelReplies, pathOf, recipientContextTrouble, timesTrouble } from './parcel-checks.ts';

/** Names in the contexts of all recipients of one message. */
const MOST_NAMES = 4096;

/**
 * @param most recipients
 * @param date since the epoch
 * @returns why a message cannot be had, whoever its recipients are
 */
export function envelopeTrouble(envelope: WireEnvelope, view: View, most: number, date: Millis): Reply | undefined {
  const { context, recipients, sender } = envelope;
  let names = 0;
  for (const recipient of recipients) names += Object.keys(recipient.context).length;
  if (names > MOST_NAMES) return parcelReplies.contextTooLong;
  return (
    (recipients.length > most ? parcelReplies.tooManyRecipients : undefined) ??
    contextTrouble(context) ??
    timesTrouble(context, date) ??
    (sender === '' && !view.get(allowNullEnvelopeSender) ? replies.nullSender : undefined)
  );
}

/** Why a recipient is refused, and where the rejectlog sees it. */
export interface RefusedRecipient {
  readonly reply: Reply;
  readonly phase: RejectionPhase;
}

/**
 * What SMTP checks at RCPT, but the address before the limit of the connection, and without that of the message, which is
 * `envelopeTrouble`'s.
 *
 * @param before recipients that came over this connection
 * @returns the path with its domain
 */
export function recipientPath(
  { envelope, generation, transaction, utf8, binding = DEFAULT_BINDING }: Parcel,
  index: number,
  client: Client,
  settings: Settings,
  before: number,
): string | RefusedRecipient {
  const { view, server, recipientDomain, hostName } = settings;
  const { address, context } = envelope.recipients[index] ?? { address: '', context: {} };
  const path = pathOf(address, false, server.recipientPaths, recipientDomain ?? hostName, settings, utf8);
  if (typeof path !== 'string') return refused(path);
  const trouble = recipientContextTrouble(context);
  if (trouble !== undefined) return refused(trouble);
  const most = view.get(maxRecipientsPerConnection);
  if (most > 0 && before >= most) return refused(replies.recipientsPerConnection);
  const domain = domainOfPath(path);
  if (domain === undefined) return refused(replies.noValidDomain);
  if (!client.mayRelay) {
    const reversePath = transaction?.reversePath ?? '';
    const sender = reversePath.slice(reversePath.lastIndexOf('@') + 1);
    if (!transactionMayRelay(view, sender, domain)) return { reply: replies.relayingDenied, phase: 'relaying denied' };
  }
  return isBlackholed(generation, binding, domain) ? refused(replies.blackholed) : path;
}

const refused = (reply: Reply): RefusedRecipient => ({ reply, phase: 'awaiting rcptto' });
