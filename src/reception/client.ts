import type { DictionaryValue, View } from '../config/index.ts';
import type { MessageId, ReceptionProtocol } from '../message/index.ts';
import type { Session as PolicySession } from '../policy/index.ts';
import { tlsVariables, tlsVerifiedPeerCanRelay } from '../tls/index.ts';
import type { PeerAddress, TlsFacts } from '../world/index.ts';
import { clientAddress } from './client-view.ts';
import { AUTH_VARIABLES, admitAnonymous, forgetAnonymous } from './login/authentication.ts';
import { context } from './options.ts';
import { clientMayRelay } from './relay.ts';

/** What holds for a client because of its address. */
export interface Standing {
  readonly view: View;
  /** `default` when none is set. */
  readonly pathway: string;
  readonly pathwayGroup: string | undefined;
}

/** Who is at the other end, as policy sees it and logs name it. */
export class Client implements PolicySession {
  /** Whom it is taken for: the connection's other end, until XCLIENT or XREMOTEIP says otherwise. */
  peer: PeerAddress;
  readonly #ends: { readonly local: PeerAddress };
  /** A client of a Unix socket counts as loopback (manual page Listeners). */
  remote: { readonly ip: string; readonly port: number };
  readonly connectionId: MessageId;
  pathway: string;
  /** Where it connected to, when XCLIENT says so. */
  reached: PeerAddress | undefined = undefined;
  /** What `Context` has set. */
  #preset: Readonly<Record<string, string>> = {};
  helo = '';
  readonly protocol: ReceptionProtocol;
  /** It said EHLO and not HELO. */
  extended = false;
  /** TLS is on. */
  encrypted = false;
  /** The mechanism by which it has logged in over this connection. */
  login: string | undefined = undefined;
  reversePath: string | undefined = undefined;
  recipient: string | undefined = undefined;
  readonly connectionContext: Record<string, string>;
  messageContext: Record<string, string> = {};

  constructor(
    ends: { readonly remote: PeerAddress; readonly local: PeerAddress },
    connectionId: MessageId,
    standing: Standing,
    protocol: ReceptionProtocol = 'esmtp',
  ) {
    this.protocol = protocol;
    this.peer = ends.remote;
    this.#ends = ends;
    this.remote = { ip: clientAddress(ends.remote), port: ends.remote.port };
    this.connectionId = connectionId;
    this.pathway = standing.pathway;
    this.connectionContext = {};
    this.#stand(standing);
  }

  /** Asked of the system only when somebody wants to know. */
  get local(): PeerAddress {
    return this.reached ?? this.#ends.local;
  }

  get mayRelay(): boolean {
    return this.connectionContext.can_relay === 'true';
  }

  /** It is taken for somebody else from now on: what its address gave it goes, and what the other gives comes. */
  become(peer: PeerAddress, standing: Standing): void {
    const { connectionContext } = this;
    this.peer = peer;
    this.remote = { ip: clientAddress(peer), port: peer.port };
    for (const [key, value] of Object.entries(this.#preset))
      if (connectionContext[key] === value) delete connectionContext[key];
    delete connectionContext.pathway_group;
    delete connectionContext.can_relay;
    forgetAnonymous(connectionContext);
    this.#stand(standing);
  }

  #stand({ view, pathway, pathwayGroup }: Standing): void {
    const { connectionContext } = this;
    this.pathway = pathway;
    this.#preset = presetOf(view.get(context));
    connectionContext.pathway = pathway;
    if (pathwayGroup !== undefined) connectionContext.pathway_group = pathwayGroup;
    Object.assign(connectionContext, this.#preset);
    const trusted = view.get(tlsVerifiedPeerCanRelay) && connectionContext.tls_client_verified === 'yes';
    if (trusted || clientMayRelay(view, this.remote.ip) || connectionContext.auth_status === 'pass')
      connectionContext.can_relay = 'true';
    admitAnonymous(view, connectionContext);
  }

  /** AUTH has succeeded (spec/listeners-and-console 11). */
  authenticated(mechanism: string, user: string): void {
    this.login = mechanism;
    Object.assign(this.connectionContext, {
      auth_name: mechanism,
      auth_user: user,
      auth_status: 'pass',
      can_relay: 'true',
    });
  }

  /** AUTH has failed. @param user  undefined when it did not come to a name */
  notAuthenticated(mechanism: string, user: string | undefined, status: 'fail' | 'error'): void {
    const { connectionContext } = this;
    connectionContext.auth_name = mechanism;
    delete connectionContext.auth_user;
    if (user !== undefined) connectionContext.auth_user = user;
    connectionContext.auth_status = status;
  }

  /**
   * TLS is on: what the client said of itself in clear is forgotten (RFC 3207 §4.2), and with it what it may do because
   * of that.
   *
   * @param relays  a verified certificate lets it relay
   */
  secured(facts: TlsFacts, view: View, relays: boolean): void {
    const { connectionContext } = this;
    this.helo = '';
    this.extended = false;
    this.encrypted = true;
    this.login = undefined;
    const authenticated = connectionContext.auth_status === 'pass';
    for (const name of FORGOTTEN) delete connectionContext[name];
    if (authenticated && !clientMayRelay(view, this.remote.ip)) delete connectionContext.can_relay;
    Object.assign(connectionContext, tlsVariables(facts));
    if (relays && connectionContext.tls_client_verified === 'yes') connectionContext.can_relay = 'true';
    admitAnonymous(view, connectionContext);
  }

  /** The end of a transaction: the message dictionary is emptied (manual: contexts). */
  forgetMessage(): void {
    this.reversePath = undefined;
    this.recipient = undefined;
    this.messageContext = {};
  }
}

const FORGOTTEN = ['ehlo_string', 'ehlo_domain', ...AUTH_VARIABLES];

function presetOf(values: DictionaryValue | undefined): Record<string, string> {
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
