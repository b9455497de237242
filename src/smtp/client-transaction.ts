import type { ClientWord, RecipientResult } from './client-events.ts';
import { type Awaited, stages } from './client-stages.ts';
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

/** A reply that is due, in the order the commands went out. */
export interface Due {
  readonly of: Awaited;
  readonly transaction: Transaction | undefined;
  /** Which recipient, for RCPT and for LMTP's replies after the dot. */
  readonly recipient: number;
}

const BAD_ARGUMENT = reply(550, '5.1.3', '[internal] MAIL FROM/RCPT TO arguments not valid');

/** @returns a transaction of which nothing was sent; paths that must not be have their results already */
export function begun(word: Transaction['word'], started: boolean): Transaction {
  const of: Transaction = {
    number: word.transaction,
    word,
    results: new Array<undefined>(word.recipients.length).fill(undefined),
    accepted: 0,
    refused: false,
    astray: false,
    started,
  };
  if (unsafe(word.reversePath)) fillRest(of, BAD_ARGUMENT, stages.during.mail);
  for (let i = 0; i < word.recipients.length; i++)
    if (unsafe(word.recipients[i] ?? '')) of.results[i] ??= failure(BAD_ARGUMENT, stages.during.rcpt);
  return of;
}

/** @returns the commands of an envelope, without those for recipients that have their results already */
export function steps(of: Transaction, sized: boolean): readonly { readonly line: string; readonly due: Due }[] {
  const { reversePath, recipients, size, mailParameters = '', recipientParameters } = of.word;
  const due = (awaited: Awaited, recipient = -1): Due => ({ of: awaited, transaction: of, recipient });
  const declared = `${sized ? ` SIZE=${size}` : ''}${mailParameters}`;
  const all = [{ line: `MAIL FROM:<${reversePath}>${declared}\r\n`, due: due('mail') }];
  for (let i = 0; i < recipients.length; i++)
    if (of.results[i] === undefined)
      all.push({ line: `RCPT TO:<${recipients[i]}>${recipientParameters?.[i] ?? ''}\r\n`, due: due('rcpt', i) });
  all.push({ line: 'DATA\r\n', due: due('data') });
  return all;
}

/** The reply to a RCPT. @returns false when it changes nothing, since MAIL was refused */
export function judgeRecipient(of: Transaction, recipient: number, said: Reply): boolean {
  const good = said.code >= 200 && said.code < 300;
  if (of.refused) {
    of.astray ||= good;
    return false;
  }
  if (good) of.accepted++;
  else of.results[recipient] = failure(said, stages.after.rcpt);
  return true;
}

/** The reply to the final dot. @param recipient  LMTP: it is for this one only */
export function confirm(of: Transaction, said: Reply, recipient: number | undefined): void {
  const good = said.code >= 200 && said.code < 300;
  const result = good
    ? ({ kind: 'delivered', reply: said, stage: stages.confirmation } as const)
    : failure(said, stages.confirmation);
  if (recipient !== undefined) of.results[recipient] = result;
  else for (let i = 0; i < of.results.length; i++) of.results[i] ??= result;
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
function unsafe(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code === 0x7f || code > 0xff) return true;
  }
  return false;
}
