import type { Reply } from '../smtp/index.ts';
import { bounceCode } from './bounce-classes.ts';
import { classOfInternalText, classOfText } from './text-rules.ts';

/**
 * The class of a failure: our own texts, then what the peer wrote, then its enhanced status, then its code.
 *
 * @param kind whether the message is tried again
 * @param stage where the attempt stood (stage codes of the logs)
 * @returns a code of `bounceClasses`
 * @see spec/delivery.md 9.4
 */
export function classify(reply: Reply, kind: 'transient' | 'permanent', stage: number): number {
  // Nobody reads a novel in an error; this bounds what a hostile peer can make us search.
  // Addresses are left out: it is not the receiver who says "spam" when nospam@dest.test is unknown.
  const lower = reply.text.slice(0, longestSearched).replace(addresses, ' ').toLowerCase();
  if (lower.includes('[internal]')) return classOfInternalText(lower) ?? classOfCodes(reply, kind, stage);
  // A failure without any session whose words are not ours is an operator's note: somebody gave up on purpose.
  if (stage === noSession && kind === 'permanent') return bounceCode.admin;
  const code = classOfText(lower);
  // While somebody still tries, no address is called invalid: "mailbox unavailable" with a 450 is mostly greylisting.
  if (code === bounceCode.invalidRecipient && kind === 'transient') return bounceCode.soft;
  return code ?? classOfCodes(reply, kind, stage);
}

const longestSearched = 2048;
const addresses = /[^\s<>()]{1,256}@[^\s<>()]+/g;
const noSession = 22;

function classOfCodes(reply: Reply, kind: 'transient' | 'permanent', stage: number): number {
  return classOfStatus(reply.enhanced) ?? classOfCode(reply.code, stage) ?? lastResort(reply.code, kind);
}

/** Exact statuses; the rest of a family is below. The hints of test/reference/bounce-codes.json are all here. */
const statuses: ReadonlyMap<string, number> = new Map([
  ['5.0.0', bounceCode.generic],
  ['4.0.0', bounceCode.soft],
  ['5.1.1', bounceCode.invalidRecipient],
  ['5.1.2', bounceCode.invalidRecipient],
  ['5.1.3', bounceCode.invalidRecipient],
  ['5.1.6', bounceCode.invalidRecipient],
  ['5.1.7', bounceCode.block],
  ['5.1.8', bounceCode.block],
  ['5.1.10', bounceCode.invalidRecipient],
  ['5.2.1', bounceCode.invalidRecipient],
  ['5.2.2', bounceCode.full],
  ['4.2.2', bounceCode.full],
  ['5.2.3', bounceCode.tooLarge],
  ['4.2.3', bounceCode.tooLarge],
  ['5.3.4', bounceCode.tooLarge],
  ['4.2.0', bounceCode.soft],
  ['4.3.0', bounceCode.soft],
  ['4.4.0', bounceCode.soft],
  ['5.4.4', bounceCode.dns],
  ['4.4.3', bounceCode.dns],
  ['4.4.4', bounceCode.dns],
  ['5.4.7', bounceCode.timeout],
  ['4.4.7', bounceCode.timeout],
  ['4.4.1', bounceCode.timeout],
  ['4.4.2', bounceCode.timeout],
  ['5.4.6', bounceCode.relay],
  ['5.7.1', bounceCode.block],
]);

function classOfStatus(enhanced: string | undefined): number | undefined {
  if (enhanced === undefined) return undefined;
  // Every 5.7 is a matter of policy, whatever its detail (RFC 3463 §3.8): 5.7.26, 5.7.708, …
  return statuses.get(enhanced) ?? (enhanced.startsWith('5.7.') ? bounceCode.block : undefined);
}

/** Codes that say something by themselves (RFC 5321 §4.2.3, RFC 7504). */
function classOfCode(code: number, stage: number): number | undefined {
  switch (code) {
    case 521:
    case 551:
    case 556:
      return bounceCode.invalidRecipient;
    case 552:
      // The same code says "mailbox full" to a recipient and "too large" to a message (RFC 1870 §6.1).
      return stage === 4 || stage === 5 ? bounceCode.full : bounceCode.tooLarge;
    default:
      return undefined;
  }
}

function lastResort(code: number, kind: 'transient' | 'permanent'): number {
  if (code >= 400 && code < 500) return kind === 'transient' ? bounceCode.transient : bounceCode.soft;
  if (code >= 500 && code < 600) return bounceCode.generic;
  return bounceCode.undetermined;
}
