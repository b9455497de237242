import type { Millis } from '../base/index.ts';
import type { MessageId, ReceptionProtocol } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';

/** Where an attempt stood (spec: stage codes of the logs). */
export type Stage = number;

interface Stamped {
  /** Milliseconds since the epoch. */
  readonly at: Millis;
  /** The configuration generation that decided. */
  readonly generation: number;
}

interface OfMessage extends Stamped {
  readonly messageId: MessageId;
  readonly batchId: MessageId;
  /** The inbound connection on a reception, the outbound one on an attempt. */
  readonly connectionId: MessageId;
  readonly bindingGroup: string;
  readonly binding: string;
  /** `local@domain`; the sender is empty for the null reverse-path. */
  readonly sender: string;
  readonly recipient: string;
  /** Bytes of the message. */
  readonly size: number;
}

/** What an attempt had of TLS (Momentum's tls_macros). */
export interface AttemptTls {
  /** The option `tls` as it held. */
  readonly type: 'no' | 'ifavailable' | 'required';
  /** Our address of the connection. */
  readonly localIp: string;
  /** Undefined: the session was in clear text. */
  readonly session:
    | {
        readonly protocol: string;
        readonly cipher: string;
        readonly cipherBits: number;
        readonly secretBits: number;
        /** Its chain is trusted, and it names the domain or the exchanger. */
        readonly verified: boolean;
        readonly issuer: string;
        readonly subject: string;
      }
    | undefined;
}

export interface ReceptionEvent extends OfMessage {
  readonly kind: 'reception';
  /** IP address of the peer; empty for a Unix socket and for our own mail. */
  readonly peer: string;
  readonly protocol: ReceptionProtocol;
  /** The cipher of the client's TLS session; undefined when it came in clear text. */
  readonly tlsCipher?: string | undefined;
}

/** One attempt for one recipient, or the end of a message that was never tried. */
export interface AttemptEvent extends OfMessage {
  readonly kind: 'delivery' | 'transient' | 'permanent';
  readonly routingDomain: string;
  readonly stage: Stage;
  /** Bytes handed to the peer. */
  readonly bytes: number;
  /** 0 on the first try. */
  readonly retries: number;
  /** Seconds since the reception. */
  readonly queuedSeconds: number;
  /** IP address that was talked to; empty when none was chosen. */
  readonly address: string;
  /** MX host name; empty when none was chosen. */
  readonly host: string;
  readonly reply: Reply;
  /** Undefined when no session stood. */
  readonly tls?: AttemptTls | undefined;
  /** Class of a failure (reference/bounce-codes.json); 0 on a delivery. */
  readonly bounceClass: number;
}

/** A 4xx or 5xx that reception gave. */
export interface RejectionEvent extends Stamped {
  readonly kind: 'rejection';
  /** `ip:port` of the client and of our end; for a Unix socket the path. */
  readonly remote: string;
  readonly local: string;
  readonly connectionId: MessageId;
  readonly pathway: string;
  readonly pathwayGroup: string;
  /** The rejectlog's words for the state of the session. */
  readonly phase: string;
  readonly reply: Reply;
  readonly module: string;
  readonly connectionContext: Readonly<Record<string, string>>;
  readonly messageContext: Readonly<Record<string, string>>;
}

/** A message of a transmission that was never made: it could not be rendered, or was not wanted. */
export interface GenerationEvent extends Stamped {
  readonly kind: 'generation';
  readonly outcome: 'failure' | 'rejection';
  /** Decimal number, as `POST /api/v1/transmissions` has given it. */
  readonly transmissionId: string;
  readonly campaignId: string;
  /** `local@domain`. */
  readonly recipient: string;
  /** For people. */
  readonly reason: string;
}

/** A console login (N), a login that timed out (T), or a command (Z). */
export interface AccountingEvent extends Stamped {
  readonly kind: 'accounting';
  readonly type: 'N' | 'T' | 'Z';
  readonly listener: string;
  readonly peer: string;
  readonly user: string;
  readonly result: 1 | 0 | -1;
  readonly command?: string;
  readonly role?: string;
}

/** An HTTP request that has its answer. */
export interface RequestEvent extends Stamped {
  readonly kind: 'request';
  /** `ip:port` of the client; for a Unix socket the path. */
  readonly remote: string;
  /** The endpoint that it came in by, as the configuration's canonical text: `0.0.0.0:2081`. */
  readonly listener: string;
  readonly method: string;
  /** Path and query as they were sent, but never with a quotation mark. */
  readonly target: string;
  /** `1.1`. */
  readonly version: string;
  readonly status: number;
  /** Of the answer's body. */
  readonly bytes: number;
  readonly millis: Millis;
}

export type Level = 'DEBUG' | 'INFO' | 'NOTICE' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** For operators: goes to the paniclog. Never credentials, bodies, or a line for each message. */
export interface DiagnosticEvent extends Stamped {
  readonly kind: 'diagnostic';
  readonly level: Level;
  readonly module: string;
  readonly text: string;
}

export type MailEvent =
  | ReceptionEvent
  | AttemptEvent
  | RejectionEvent
  | AccountingEvent
  | GenerationEvent
  | RequestEvent
  | DiagnosticEvent;
export type EventKind = MailEvent['kind'];

/** The events of those kinds. (`Extract` would not find the attempts, three kinds of one shape.) */
export type EventOf<K extends EventKind, E extends MailEvent = MailEvent> = E extends MailEvent
  ? [Extract<E['kind'], K>] extends [never]
    ? never
    : E & { readonly kind: Extract<E['kind'], K> }
  : never;

/** The only way to say what happened to mail. A hearer that throws is a bug of ours and must not stop the others. */
export interface Events {
  record(event: MailEvent): void;
  subscribe<K extends EventKind>(kinds: readonly K[], hear: (event: EventOf<K>) => void): Disposable;
  /** A diagnostic line, stamped here. */
  diagnose(level: Level, module: string, text: string): void;
}
