import type { ClientWord, RecipientResult } from './client-events.ts';
import { type Reply, reply } from './reply.ts';

/** A transaction as the client machine sees it, from MAIL to the last reply. */
export interface Transaction {
  readonly number: number;
  readonly word: Extract<ClientWord, { kind: 'transaction' }>;
  readonly results: (RecipientResult | undefined)[];
  accepted: number;
  /** The peer has answered to it, or nothing but it can be the reason when the peer goes: a lost session costs it. */
  started: boolean;
  /** MAIL was refused: later replies of the group change nothing. */
  refused: boolean;
  /** And all the same the peer has accepted a recipient: an empty body might be delivered to it. */
  astray: boolean;
}

/** @returns what a reply that is no success means for a recipient */
export function failure(said: Reply, stage: number): RecipientResult {
  if (said.code >= 500) return { kind: 'failed', reply: said, stage };
  // A 3xx where nothing was to be continued is no verdict; a log that showed it as one would puzzle everybody.
  const why = said.code >= 400 ? said : reply(451, '4.4.2', `[internal] unexpected reply: ${said.code} ${said.text}`);
  return { kind: 'deferred', reply: why, stage };
}

/** Recipients without a result get this one. */
export function fillRest(of: Transaction, said: Reply, stage: number): void {
  for (let i = 0; i < of.results.length; i++) of.results[i] ??= failure(said, stage);
}

/** A path that would end its own line: never from our own reception, but a policy or a foreign spool might bring one. */
export function unsafe(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code === 0x7f || code > 0xff) return true;
  }
  return false;
}
