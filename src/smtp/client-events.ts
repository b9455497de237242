import type { ClientAuth } from './client-auth.ts';
import type { Reply } from './reply.ts';

/** What the peer said of itself after EHLO (RFC 5321 §4.1.1.1). Keywords are upper case. */
export interface Extensions {
  readonly pipelining: boolean;
  /** RFC 1870: undefined when SIZE was not offered, 0 when it has no fixed limit. */
  readonly size: number | undefined;
  readonly keywords: ReadonlyMap<string, string>;
}

export interface RecipientResult {
  /** `delivered` when the peer took responsibility for this recipient. */
  readonly kind: 'delivered' | 'deferred' | 'failed';
  readonly reply: Reply;
  /** Stage code of the logs. */
  readonly stage: number;
}

export type ClientEvent =
  /** The peer is ready for a TLS handshake: the driver has the pipe secured, then says `secured` or `insecure`. */
  | { readonly kind: 'secure'; readonly turn: number }
  /**
   * The session can take a transaction. With `ahead` the last one still waits for the reply to its final dot: what is
   * said now is pipelined behind the body. May be left unanswered as long as there is nothing to send.
   */
  | { readonly kind: 'ready'; readonly turn: number; readonly ahead: boolean }
  /** 354: the driver sends the body, dot-stuffed, with its final dot, then says `sent`. */
  | { readonly kind: 'body'; readonly turn: number; readonly transaction: number }
  /** A transaction has ended, one result for each of its recipients, in their order. */
  | {
      readonly kind: 'settled';
      readonly turn: number;
      readonly transaction: number;
      readonly results: readonly RecipientResult[];
    }
  /** A transaction that the peer never judged: the session ended before its turn came. No attempt was made. */
  | { readonly kind: 'returned'; readonly turn: number; readonly transaction: number }
  /**
   * Nothing more can be sent. `before` is true when no transaction was ever possible: the caller tries another host.
   * The driver closes the pipe once what `take()` gives has gone out.
   */
  | {
      readonly kind: 'over';
      readonly turn: number;
      readonly before: boolean;
      readonly reply: Reply;
      readonly stage: number;
      /**
       * Set when TLS or the login is why: `plain`: nothing demands it, and another connection may do without it at once;
       * `failed`: as things are, nothing may be sent.
       */
      readonly tls?: 'plain' | 'failed';
    };

export type ClientWord =
  | { readonly kind: 'secured' }
  /** The handshake is done, and the peer is not who it should be. */
  | { readonly kind: 'insecure'; readonly reply: Reply }
  | {
      readonly kind: 'transaction';
      /** The caller's number: events name it. */
      readonly transaction: number;
      /** Without angle brackets; empty for the null reverse-path. */
      readonly reversePath: string;
      readonly recipients: readonly string[];
      /** Behind the path of MAIL, besides SIZE, and of each RCPT; every parameter with its blank in front. */
      readonly mailParameters?: string;
      readonly recipientParameters?: readonly string[];
      /** Bytes of the message (RFC 1870), sent when SIZE was offered. */
      readonly size: number;
    }
  | { readonly kind: 'sent' }
  /** The body cannot be sent: the session is over, the peer must not see an end of data. */
  | { readonly kind: 'broken'; readonly reply: Reply }
  | { readonly kind: 'quit' };

/** Milliseconds to wait for each reply (spec: SMTP client, stages and timeouts). */
export interface ClientTimeouts {
  readonly ehlo: number;
  readonly mailFrom: number;
  readonly rcptTo: number;
  readonly body: number;
  readonly rset: number;
}

/** What becomes of a session whose peer does not offer TLS, refuses it, or fails in the handshake. */
export interface ClientTls {
  readonly use: 'no' | 'ifavailable' | 'required';
  /** `ifavailable` only: clear text when TLS was offered and cannot be had. */
  readonly fallback: boolean;
  /** Clear text over another connection, also when the peer refused STARTTLS in good order. */
  readonly alwaysNewConnection: boolean;
}

export interface ClientSettings {
  readonly ehloName: string;
  /** `HELO` only: the delivery method SMTP. */
  readonly plainSmtp: boolean;
  /** LMTP (RFC 2033): LHLO, and a reply for each recipient after the dot. */
  readonly lmtp: boolean;
  /** false: one command at a time, whatever the peer offers. */
  readonly pipelining: boolean;
  readonly tls: ClientTls;
  /** Left out: nobody logs in. */
  readonly auth?: ClientAuth | undefined;
  readonly timeouts: ClientTimeouts;
}
