import type { Endpoint } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import type { BodyTraits, Envelope, SpoolAddress } from '../message/index.ts';
import type { Draft } from '../spool/index.ts';
import type { Pipe, PipeHost, TlsFacts } from '../world/index.ts';
import type { InPlaceOf } from './inject.ts';

/** Where a conversation began: which Listen stanza took it, and with which configuration. */
export interface Origin {
  readonly endpoint: Endpoint;
  readonly generation: Generation;
  /** TLS began before the first byte (Use_SSL). */
  readonly tls?: TlsFacts;
  /** The session's slot is given back by whoever counted it. */
  readonly ended: () => void;
  /** The client is taken for another address: its session counts for that one from now on. */
  moved(ip: string): void;
  /** Whether the session caps of the present configuration are kept; asked at the next MAIL when it has moved. */
  withinCaps(): boolean;
}

/** The one entry: a conversation becomes a message. */
export interface Reception {
  /** An SMTP peer. */
  converse(pipe: Pipe, origin: Origin): PipeHost;
  /** An ECStream peer. */
  stream(pipe: Pipe, origin: Origin): PipeHost;
  /** HTTP, our own mail: the same last phases; resolves when durable. */
  inject(envelope: Envelope, traits: BodyTraits, draft: Draft, replaces?: InPlaceOf): Promise<SpoolAddress>;
  /** No new transactions; resolves when those in flight have ended, or were cut off with 421 after `patienceMillis`. */
  close(patienceMillis: number): Promise<void>;
  /** Sessions that are open now. */
  readonly sessions: number;
}
