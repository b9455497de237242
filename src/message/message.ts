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

/** What a sender asked for with MAIL, kept until the next hop has been asked for the same. */
export interface SenderRequests {
  /** BODY (RFC 3030). The content may hold anything, and must be converted for whoever takes no binary. */
  readonly body?: 'BINARYMIME';
  /** SMTPUTF8 was asked for (RFC 6531) and the header has characters beyond ASCII: no other server can take it. */
  readonly utf8Header?: true;
  /** RET (RFC 3461 §4.3): what a failure notice returns of the message. */
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID (RFC 3461 §4.4) as xtext, just as it came. */
  readonly envid?: string;
}

export type NotifyOn = 'SUCCESS' | 'FAILURE' | 'DELAY';

/** What a sender asked for with RCPT (RFC 3461 §4.1 and §4.2). */
export interface RecipientRequests {
  /** Empty for NEVER; undefined when NOTIFY was not given, which means failures. */
  readonly notify?: readonly NotifyOn[];
  /** ORCPT as it came: the type of address, a semicolon, xtext. */
  readonly orcpt?: string;
}

/** A verdict of policy about one recipient of a message that others get: the queue fails it at once. */
export interface Refusal {
  readonly code: number;
  readonly enhanced: string | undefined;
  readonly text: string;
}

export interface EnvelopeRecipient {
  readonly id: MessageId;
  /** `local@domain`, without angle brackets, as the client wrote it. */
  readonly path: string;
  readonly binding: BindingName;
  readonly requests?: RecipientRequests;
  readonly refused?: Refusal;
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
  /** Absent: nothing was asked for. */
  readonly requests?: SenderRequests;
}

/** What the framing saw while the bytes went by. Both are nearly always false, and then no byte is looked at again. */
export interface BodyTraits {
  /** Some line begins with a dot: to be doubled when sent. */
  readonly dots: boolean;
  /** A lone CR or LF stands in it: to be sent as CRLF. */
  readonly lone: boolean;
  /** Some byte is above 127. Absent in mail that an older version has kept: nobody looked. */
  readonly eightBit?: boolean;
}

/** One reception in the spool. */
export interface Message {
  readonly at: SpoolAddress;
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
}
