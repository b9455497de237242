import type { WireEnvelope } from './envelope.ts';

/** What a server tells in its WELCOME, and keeps to. */
export interface EcstreamServerSettings {
  readonly hostName: string;
  /** Recipients of one message: more are answered 452. */
  readonly maxRecipients: number;
  readonly maxFrame: number;
  /** Bytes; 0 is no limit. */
  readonly maxMessage: number;
  readonly windowMessages: number;
  readonly windowBytes: number;
  /** Milliseconds of silence; 0 is for ever. */
  readonly idle: number;
  /** The client must log in before it may send. */
  readonly auth: boolean;
  /** What we offer, of `capabilities`. */
  readonly capabilities: number;
}

export type EcstreamServerEvent =
  /** To be answered with `welcome` or `dismiss`; nothing else comes before. */
  | { readonly kind: 'hello'; readonly client: string; readonly host: string }
  /** To be answered with `authenticated` or `notAuthenticated`; nothing else comes before. */
  | { readonly kind: 'auth'; readonly mechanism: number; readonly response: Uint8Array }
  /** A message begins, and with `end` it is all there. It is to be resolved by `accept` or `refuse`, once, in any order. */
  | {
      readonly kind: 'message';
      readonly seq: number;
      readonly envelope: WireEnvelope;
      readonly body: Uint8Array;
      readonly end: boolean;
      /** The sum of the body is wrong; told with `end`. */
      readonly damaged: boolean;
    }
  | {
      readonly kind: 'body';
      readonly seq: number;
      readonly body: Uint8Array;
      readonly end: boolean;
      readonly damaged: boolean;
    }
  /** All up to that message is to be committed now. */
  | { readonly kind: 'flush'; readonly seq: number }
  /** The message that has begun will not be finished: it was never taken. */
  | { readonly kind: 'cut'; readonly seq: number }
  /** The client has broken the protocol: it gets the BYE that says so. */
  | { readonly kind: 'broken'; readonly code: number; readonly text: string };
