import type { Reply, ServerState } from '../smtp/index.ts';
import type { PeerAddress } from '../world/index.ts';
import type { Client } from './client.ts';
import type { Desk } from './desk.ts';

/** The rejectlog's words for where a session stood. */
export type RejectionPhase =
  | 'connect'
  | 'awaiting ehlo'
  | 'awaiting mailfrom'
  | 'awaiting rcptto'
  | 'awaiting data'
  | 'receiving body'
  | 'validating body'
  | 'relaying denied'
  | 'concurrency limit';

export const phaseOf: Readonly<Record<Exclude<ServerState, 'over'>, RejectionPhase>> = {
  connect: 'connect',
  start: 'awaiting ehlo',
  ready: 'awaiting mailfrom',
  tls: 'awaiting ehlo',
  auth: 'awaiting mailfrom',
  mail: 'awaiting rcptto',
  rcpt: 'awaiting rcptto',
  body: 'receiving body',
  bdat: 'receiving body',
  chunks: 'receiving body',
  validating: 'validating body',
};

/** Who is said to have refused when no module did. */
export const CORE = 'core';

/**
 * Each 4xx and 5xx that a client is given makes one of these; an idle timeout and the server's own end do not.
 *
 * @param generation that the session works with
 */
export function recordRejection(
  desk: Desk,
  client: Client,
  generation: number,
  refused: {
    readonly phase: RejectionPhase;
    readonly reply: Reply;
    readonly module: string;
    readonly connection: Readonly<Record<string, string>>;
    readonly message: Readonly<Record<string, string>>;
  },
): void {
  const { clock, events } = desk.parts;
  events.record({
    kind: 'rejection',
    at: clock.date(),
    generation,
    remote: peerText(client.peer),
    local: peerText(client.local),
    connectionId: client.connectionId,
    pathway: client.pathway,
    pathwayGroup: client.connectionContext.pathway_group ?? '',
    phase: refused.phase,
    reply: refused.reply,
    module: refused.module,
    connectionContext: refused.connection,
    messageContext: refused.message,
  });
}

/** `ip:port`, an IPv6 address in brackets; the path of a Unix socket. */
export function peerText(address: PeerAddress): string {
  if (address.ip === '') return address.path ?? '';
  return address.ip.includes(':') ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}
