import type { BindingName, Millis } from '../base/index.ts';

declare const kind: unique symbol;

/** `XX/YY-PPPPP-SSSSSSSS`: counter and creation second in backward hex around the instance (manual page message_id). */
export type MessageId = string & { readonly [kind]: 'message id' };
/** A stable handle: compaction moves records, the handle stays. Only the spool reads it. */
export type SpoolAddress = number & { readonly [kind]: 'spool address' };

/** Momentum's two dictionaries, filled by the session and by policy. */
export interface Context {
  readonly connection: Readonly<Record<string, string>>;
  readonly message: Readonly<Record<string, string>>;
}

export type ReceptionProtocol = 'esmtp' | 'rest' | 'ecstream' | 'xfer' | 'internal';

export interface EnvelopeRecipient {
  readonly id: MessageId;
  /** `local@domain`, without angle brackets, as the client wrote it. */
  readonly path: string;
  readonly binding: BindingName;
  /** Variables of this recipient alone, over those of the message. */
  readonly context?: Readonly<Record<string, string>>;
}

/** What the spool keeps beside a body: all that a restart needs. Bytes above 127 stand as Latin-1 characters. */
export interface Envelope {
  readonly batchId: MessageId;
  readonly connectionId: MessageId;
  /** Milliseconds since the epoch. */
  readonly receivedAt: Millis;
  /** `local@domain` without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string;
  readonly recipients: readonly EnvelopeRecipient[];
  readonly protocol: ReceptionProtocol;
  /** Where it came from: an IP address, or empty (Unix socket, our own mail). */
  readonly peer: string;
  /** Bytes of the body as kept, our own header fields included. */
  readonly size: number;
  readonly context: Context;
}

/** What the framing saw while the bytes went by. Both are nearly always false, and then no byte is looked at again. */
export interface BodyTraits {
  /** Some line begins with a dot: to be doubled when sent. */
  readonly dots: boolean;
  /** A lone CR or LF stands in it: to be sent as CRLF. */
  readonly lone: boolean;
}

/** One reception in the spool. */
export interface Message {
  readonly at: SpoolAddress;
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
}
