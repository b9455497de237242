import type { Millis, Segments } from '../base/index.ts';
import { NO_OFFERS, type Offers, type Parameters } from './parameters.ts';
import { type PathRules, STRICT_PATHS } from './path.ts';
import type { Reply } from './reply.ts';

/**
 * What a client did. Every event but `body`, `refused` and `gone` wants a word, said with its `turn`; until then the
 * machine reads no further.
 */
export type ServerEvent = { readonly turn: number } & (
  | { readonly kind: 'connect' }
  /** `line` as it came, without its line end. */
  | { readonly kind: 'ehlo' | 'helo'; readonly name: string; readonly line: string }
  /** `path` as `local@domain`, as a local part alone, or empty for `<>`. */
  | { readonly kind: 'mail'; readonly path: string; readonly parameters: Parameters; readonly line: string }
  | { readonly kind: 'rcpt'; readonly path: string; readonly parameters: Parameters; readonly line: string }
  | { readonly kind: 'data' | 'rset' | 'quit' | 'starttls' }
  /** A chunk that is not the last has come; its octets were bodies before. The last one makes an `end-of-data`. */
  | { readonly kind: 'bdat'; readonly length: number }
  /** Views of what came, dots already removed. */
  | { readonly kind: 'body'; readonly bytes: Segments }
  | {
      readonly kind: 'end-of-data';
      readonly length: number;
      readonly dots: boolean;
      readonly lone: boolean;
      readonly eightBit: boolean;
    }
  /** `mechanism` in upper case; `initial` decoded, undefined when nothing came with it. */
  | { readonly kind: 'auth'; readonly mechanism: string; readonly initial: Uint8Array | undefined }
  /** The decoded answer to a challenge. A client that cancels makes a `refused` during `auth`. */
  | { readonly kind: 'auth-response'; readonly bytes: Uint8Array }
  /** Commands of trusted clients, `settings.trusts` only. */
  | { readonly kind: TrustedCommand; readonly argument: string }
  /** The machine itself answered with a 4xx or 5xx. */
  | { readonly kind: 'refused'; readonly reply: Reply; readonly during: ServerState }
  /** The last event: what `take()` gives now is to be sent, then the connection ends. */
  | { readonly kind: 'gone'; readonly why: GoneReason }
);

export type TrustedCommand = 'xclient' | 'xremoteip' | 'xsetcontext' | 'xdumpcontext';

/** After `handshake timeout` nothing can be said: the connection is neither in clear nor encrypted. */
export type GoneReason = 'quit' | 'closed' | 'idle timeout' | 'protocol deviation' | 'handshake timeout';

/**
 * The answer to an event. `read body` belongs to a 354 for DATA, `start TLS` to a 220 for STARTTLS: then the driver sends
 * what `take()` gives, has the pipe secured, and says so with `secured`. `challenge` belongs to a 334 for AUTH; any other
 * word ends the login, which a 2xx has granted.
 */
export interface ServerWord {
  readonly reply: Reply;
  readonly then: 'go on' | 'close' | 'read body' | 'start TLS' | 'challenge';
}

export const serverWord = (said: Reply, then: ServerWord['then']): ServerWord => ({
  reply: said,
  then,
});

/**
 * `tls`: between the 220 and the end of the handshake.
 * `auth`: a challenge was sent, and its answer is read.
 * `rcpt`: at least one recipient has been accepted. `bdat`: octets of a chunk are read, `chunks`: more chunks must come.
 * `validating`: the body has come and is not answered.
 */
export type ServerState =
  | 'connect'
  | 'start'
  | 'ready'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'body'
  | 'bdat'
  | 'chunks'
  | 'validating'
  | 'over';

/** What may differ from session to session, and within one when the configuration moves. */
export interface ServerSettings {
  /** Names us in the replies that the machine gives itself. */
  readonly hostName: string;
  /** ENHANCEDSTATUSCODES is in force. */
  readonly enhancedCodes: boolean;
  /** MAIL, RCPT, DATA and the like need an EHLO or HELO first. */
  readonly requireEhlo: boolean;
  /** Bytes that a `SIZE=` may announce; 0 for no limit. */
  readonly maxMessageSize: number;
  readonly offers: Offers;
  /** Longest wait for the client; 0 for ever. */
  readonly idle: Millis;
  /** STARTTLS is served; without it the command is one of those that are not implemented. */
  readonly startTls: boolean;
  /** AUTH is served; without it the command is one of those that are not implemented. */
  readonly auth: boolean;
  /** Longest time for a TLS handshake. */
  readonly handshake: Millis;
  /** What came in clear behind STARTTLS (CVE-2011-0411): it ends the session, or is thrown away. */
  readonly startTlsInjection: 'reject' | 'ignore';
  /**
   * Commands in a row that bring no mail nearer: refused by the machine itself, or NOOP, HELP, VRFY, and RSET with nothing to
   * reset. One more ends the session; an accepted message begins the count anew. 0 for no limit.
   */
  readonly mostBadCommands: number;
  readonly senderPaths: PathRules;
  readonly recipientPaths: PathRules;
  /** To others these commands are unknown. */
  readonly trusts: readonly TrustedCommand[];
}

export const serverDefaults: ServerSettings = {
  hostName: 'localhost',
  enhancedCodes: true,
  requireEhlo: false,
  maxMessageSize: 0,
  offers: NO_OFFERS,
  idle: 300_000 as Millis,
  startTls: false,
  auth: false,
  handshake: 60_000 as Millis,
  startTlsInjection: 'reject',
  mostBadCommands: 0,
  senderPaths: STRICT_PATHS,
  recipientPaths: STRICT_PATHS,
  trusts: [],
};
