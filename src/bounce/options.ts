import { boolean, enumeration, integer, option, optional, text, ValueError, type ValueType } from '../config/index.ts';

/** One address without brackets or blanks: it is written into header fields and envelopes as it stands. */
const mailbox: ValueType<string> = {
  title: 'an address as local@domain',
  shape: { kind: 'email' },
  read(raw) {
    const value = text.read(raw);
    if (!/^[^\s<>()\0-\x1f\x7f]+@[^\s<>()@\0-\x1f\x7f]+$/.test(value)) throw new ValueError(mailbox.title);
    return value;
  },
};

export const generateBounces = option('generate_bounces', boolean);
export const bouncesInlineOriginal = option('bounces_inline_original', enumeration('none', 'headers', 'all'));
/** Unset: mailer-daemon at our host name. */
export const mailerdaemon = option('mailerdaemon', optional(mailbox));
export const mdnFailuresNotify = option('mdn_failures_notify', optional(mailbox));
export const softBounceDrainRate = option('soft_bounce_drain_rate', integer);

export const bounceOptions = [
  generateBounces,
  bouncesInlineOriginal,
  mailerdaemon,
  mdnFailuresNotify,
  softBounceDrainRate,
];
