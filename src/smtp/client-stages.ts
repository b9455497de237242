import type { ClientTimeouts } from './client-events.ts';
import { type Reply, reply } from './reply.ts';

/** What a reply may be awaited for. `empty` is the dot after a DATA that nobody wanted. */
export type Awaited =
  | 'banner'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'dot'
  | 'empty'
  | 'rset'
  | 'quit';

/**
 * Stage codes of the logs (spec/logs-and-metrics 2): `during` a command its sending or the wait failed, `after` it the
 * reply was bad.
 */
export const stages = {
  notConnected: 0,
  idle: 1,
  sendingBody: 8,
  confirmation: 9,
  handshake: 17,
  unknown: 22,
  during: {
    banner: 12,
    ehlo: 10,
    helo: 10,
    starttls: 15,
    auth: 10,
    mail: 2,
    rcpt: 4,
    data: 6,
    dot: 9,
    empty: 9,
    rset: 13,
    quit: 1,
  },
  after: {
    banner: 12,
    ehlo: 11,
    helo: 11,
    starttls: 16,
    auth: 11,
    mail: 3,
    rcpt: 5,
    data: 7,
    dot: 9,
    empty: 9,
    rset: 14,
    quit: 1,
  },
} as const;

const silent = (what: string): Reply => reply(451, '4.4.2', `[internal] no ${what}`);

/** The manual's texts for a peer that says nothing (spec/delivery 8.3). */
export const noReply: Readonly<Record<Awaited, Reply>> = {
  banner: silent('banner'),
  ehlo: silent('HELO/EHLO response'),
  helo: silent('HELO/EHLO response'),
  starttls: reply(451, '4.7.5', '[internal] no tls go-ahead'),
  auth: silent('AUTH response'),
  mail: silent('MAIL FROM response'),
  rcpt: silent('RCPT TO response'),
  data: silent('DATA response'),
  dot: silent('BODY response'),
  empty: silent('BODY response'),
  rset: silent('RSET response'),
  quit: silent('QUIT response'),
};

/** The manual's texts for TLS that cannot be had. */
export const tlsReplies = {
  notOffered: reply(451, '4.7.6', '[internal] STARTTLS required but not advertised'),
  noGoAhead: noReply.starttls,
  failed: reply(451, '4.7.5', '[internal] TLS negotiation failed'),
  untrusted: reply(451, '4.7.5', '[internal] remote node SSL certificate not signed by a valid CA'),
  otherHost: reply(451, '4.7.5', '[internal] SSL certificate subject does not match host'),
} as const;

export const QUIT_MILLIS = 5000;

/** @returns milliseconds to wait for that reply */
export function patience(of: Awaited, timeouts: ClientTimeouts): number {
  switch (of) {
    case 'mail':
      return timeouts.mailFrom;
    case 'rcpt':
    case 'data':
      return timeouts.rcptTo;
    case 'dot':
    case 'empty':
      return timeouts.body;
    case 'rset':
      return timeouts.rset;
    case 'quit':
      return QUIT_MILLIS;
    default:
      return timeouts.ehlo;
  }
}
