/** Flags of an envelope. */
export const envelopeFlags = { eightBit: 1, smtpUtf8: 2 } as const;

/** Names and values that become variables of policy. */
export type ContextValues = Readonly<Record<string, string>>;
export const NO_VALUES: ContextValues = Object.freeze({});

/** Names in one context: more are not needed by anybody, and each costs memory for as long as the message waits. */
export const MOST_VALUES = 256;
/** Recipients of one message, and bytes of an address or a name: what 16 bits can count. */
const MOST_COUNTED = 0xffff;

export interface WireRecipient {
  readonly address: string;
  readonly context: ContextValues;
}

/** What a MESSAGE frame says before the body. Addresses are one character a byte (Latin-1), as everywhere in the house. */
export interface WireEnvelope {
  readonly flags: number;
  /** Empty for the null reverse-path. */
  readonly sender: string;
  readonly context: ContextValues;
  readonly recipients: readonly WireRecipient[];
}

/** How addresses are handed over: what the house keeps is Latin-1, what a program has is UTF-8. */
export type AddressEncoding = 'utf8' | 'latin1';

/** @returns bytes of an envelope in its frame */
export function envelopeBytes({ sender, context, recipients }: WireEnvelope, encoding: AddressEncoding): number {
  const size = (text: string): number => (encoding === 'latin1' ? text.length : utf8(text));
  let length = 4 + 2 + size(sender) + contextBytes(context);
  for (const { address, context: own } of recipients) length += 2 + size(address) + contextBytes(own);
  return length;
}

function contextBytes(values: ContextValues): number {
  let length = 2;
  if (values === NO_VALUES) return length;
  for (const name in values) length += 6 + utf8(name) + utf8(values[name] ?? '');
  return length;
}

/**
 * Looks through an envelope that a program has made, so that nothing of it breaks the connection for other messages.
 *
 * @returns why it cannot be sent, undefined when it can
 */
export function envelopeTrouble(
  envelope: WireEnvelope,
  encoding: AddressEncoding,
  maxFrame: number,
): string | undefined {
  const { sender, context, recipients } = envelope;
  if (recipients.length === 0) return 'a message needs a recipient';
  if (recipients.length > MOST_COUNTED) return `a message has ${MOST_COUNTED} recipients at most`;
  for (const text of [sender, ...recipients.map(({ address }) => address)])
    if (typeof text !== 'string' || utf8(text) > MOST_COUNTED)
      return `an address is a text of ${MOST_COUNTED} bytes at most`;
  for (const values of [context, ...recipients.map((recipient) => recipient.context)]) {
    if (values === NO_VALUES) continue;
    const entries = Object.entries(values);
    if (entries.length > MOST_VALUES) return `a context has ${MOST_VALUES} values at most`;
    for (const [name, value] of entries) {
      if (typeof value !== 'string') return `the context value '${name}' is no text`;
      if (utf8(name) > MOST_COUNTED) return `a name in a context has ${MOST_COUNTED} bytes at most`;
    }
  }
  const bytes = envelopeBytes(envelope, encoding);
  return bytes > maxFrame ? `an envelope of ${bytes} bytes, where ${maxFrame} are the most` : undefined;
}

const utf8 = (text: string): number => Buffer.byteLength(text, 'utf8');
