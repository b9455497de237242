import { hash } from 'node:crypto';
import { isBeyondAscii, type Millis } from '../base/index.ts';
import { envelopeFlags, NO_VALUES, type Welcome, type WireEnvelope } from '../ecstream/index.ts';
import type { BodyHold } from '../message/index.ts';
import type { Attempt, Item, Outcome } from '../queue/index.ts';
import { type Extensions, type Reply, reply, stages } from '../smtp/index.ts';

/** What a recipient has on the wire at most: a path of 256 bytes and a domain that was added to it. */
const RECIPIENT_BYTES = 512;
/** Of a frame, for all else in an envelope. */
const REST_BYTES = 16_384;

/** Most recipients of one message: as many as the peer names, and as surely fit a frame. */
export function mostInFrame({ maxRecipients, maxFrame }: Welcome): number {
  const fitting = Math.max(1, Math.floor((maxFrame - REST_BYTES) / RECIPIENT_BYTES));
  return maxRecipients > 0 ? Math.min(maxRecipients, fitting) : fitting;
}

/** In SMTP's words: 8-bit bodies and addresses need no leave here, lone CR and LF and NUL have none (RFC 3030 §3). */
export const streamExtensions = (maxMessage: number): Extensions => ({
  pipelining: true,
  size: maxMessage,
  keywords: KEYWORDS,
});
const KEYWORDS: Extensions['keywords'] = new Map([
  ['8BITMIME', ''],
  ['SMTPUTF8', ''],
]);

/** One message under way, to one recipient or several. */
export interface Flight {
  readonly items: readonly Item[];
  readonly hold: BodyHold;
  readonly startedAt: Millis;
  /** What each recipient was told, where it was refused. */
  readonly refused: Map<number, Reply>;
  seq: number;
  /** Of the body, handed to the pipe. */
  bytes: number;
  /** When all of it was sent. */
  sentAt: Millis | undefined;
}

/** The same for the same recipients of the same message, at every try and after a restart. @param name of this server */
export function flightKey({ items, hold }: Flight, name: string): string {
  const { envelope } = (items[0] as Item).message;
  const ids = items.map((item) => envelope.recipients[item.recipient]?.id ?? '');
  return hash('sha256', `${name} ${envelope.batchId} ${hold.length} ${ids.join(' ')}`, 'base64');
}

/** @param key undefined when the peer remembers none */
export function flightEnvelope({ items }: Flight, key: string | undefined): WireEnvelope {
  const { envelope, traits } = (items[0] as Item).message;
  const recipients = items.map((item) => ({
    address: envelope.recipients[item.recipient]?.path ?? '',
    context: NO_VALUES,
  }));
  const context = key === undefined ? NO_VALUES : { ec_dedup: key };
  const wide =
    envelope.requests?.utf8Header === true ||
    isBeyondAscii(envelope.reversePath) ||
    recipients.some(({ address }) => isBeyondAscii(address));
  const flags = (traits.eightBit === true ? envelopeFlags.eightBit : 0) | (wide ? envelopeFlags.smtpUtf8 : 0);
  return { flags, sender: envelope.reversePath, context, recipients };
}

/** What becomes of each recipient, by what the peer said of it. */
export function outcomesOf(
  { items, refused }: Flight,
  said: (index: number) => Reply,
  attempt: (stage: number) => Attempt,
): readonly Outcome[] {
  return items.map((_, index): Outcome => {
    const judged = said(index);
    const kind = judged.code < 400 ? 'delivered' : judged.code < 500 ? 'deferred' : 'failed';
    const stage = refused.has(index) ? stages.after.rcpt : stages.confirmation;
    // RFC 3461 §5.2.2: ECStream has no words for what was asked of DSN, so that whoever is behind it tells nobody.
    return { kind, reply: judged, attempt: attempt(stage), untold: 'relayed' };
  });
}

/** What our logs say when the peer has said nothing. */
export const streamReplies = {
  noResponse: reply(451, '4.4.2', '[internal] no BODY response'),
} as const;
