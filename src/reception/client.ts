import type { DictionaryValue, View } from '../config/index.ts';
import type { MessageId, ReceptionProtocol } from '../message/index.ts';
import type { Session as PolicySession } from '../policy/index.ts';
import type { PeerAddress } from '../world/index.ts';
import { clientAddress } from './client-view.ts';
import { context } from './options.ts';
import { clientMayRelay } from './relay.ts';

/** Who is at the other end, as policy sees it and logs name it. */
export class Client implements PolicySession {
  readonly peer: PeerAddress;
  readonly #ends: { readonly local: PeerAddress };
  /** A client of a Unix socket counts as loopback (manual page Listeners). */
  readonly remote: { readonly ip: string; readonly port: number };
  readonly connectionId: MessageId;
  readonly pathway: string;
  helo = '';
  readonly protocol: ReceptionProtocol;
  /** It said EHLO and not HELO. */
  extended = false;
  reversePath: string | undefined = undefined;
  recipient: string | undefined = undefined;
  readonly connectionContext: Record<string, string>;
  messageContext: Record<string, string> = {};

  constructor(
    ends: { readonly remote: PeerAddress; readonly local: PeerAddress },
    connectionId: MessageId,
    pathway: string,
    view: View,
    protocol: ReceptionProtocol = 'esmtp',
  ) {
    this.protocol = protocol;
    this.peer = ends.remote;
    this.#ends = ends;
    this.remote = { ip: clientAddress(ends.remote), port: ends.remote.port };
    this.connectionId = connectionId;
    this.pathway = pathway;
    this.connectionContext = { pathway, ...preset(view.get(context)) };
    if (clientMayRelay(view, this.remote.ip)) this.connectionContext.can_relay = 'true';
  }

  /** Asked of the system only when somebody wants to know. */
  get local(): PeerAddress {
    return this.#ends.local;
  }

  get mayRelay(): boolean {
    return this.connectionContext.can_relay === 'true';
  }

  /** The end of a transaction: the message dictionary is emptied (manual: contexts). */
  forgetMessage(): void {
    this.reversePath = undefined;
    this.recipient = undefined;
    this.messageContext = {};
  }
}

function preset(values: DictionaryValue | undefined): Record<string, string> {
  const filled: Record<string, string> = {};
  if (values === undefined) return filled;
  for (const [key, value] of values) filled[key] = typeof value === 'string' ? value : value.join(' ');
  return filled;
}

/** `mailfrom_string`, `_localpart`, `_domain`, and the same for `rcptto`. */
export function pathVariables(prefix: 'mailfrom' | 'rcptto', line: string, path: string): Record<string, string> {
  const at = path.lastIndexOf('@');
  return {
    [`${prefix}_string`]: line,
    [`${prefix}_localpart`]: at === -1 ? path : path.slice(0, at),
    [`${prefix}_domain`]: at === -1 ? '' : path.slice(at + 1).toLowerCase(),
  };
}
