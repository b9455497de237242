import { bounceCode } from './bounce-classes.ts';

/**
 * What receivers say when they refuse, in lower case. The first rule that fits decides, so the narrow ones stand before
 * the broad ones. Phrases are parted by semicolons; a ` + ` joins words that must all occur. The words are those of the
 * servers and large providers of 2026; a reply that none fits is judged by its codes.
 */
const written: readonly (readonly [number, string])[] = [
  [
    bounceCode.challenge,
    `challenge-response; challenge response; sender verification required; confirm that you are human;
      prove you are human; not yet been verified + click`,
  ],
  [
    bounceCode.attachment,
    `virus; malware; infected; trojan; phish; prohibited attachment; attachment + not allowed;
      attachment + blocked; attachment + rejected; attachment + not accepted; attachment type;
      executable attachment; banned file; banned extension; potential security issue`,
  ],
  // Before the lists of bad senders, whose words "listed by" they contain.
  [bounceCode.soft, 'greylist; graylist; grey-list; grey list; postgrey'],
  [bounceCode.invalidRecipient, 'not listed in'],
  // Limits on the sender, before the rules that take "quota" for a full mailbox.
  [bounceCode.block, 'sending quota; sending limit; sender + over quota; daily limit + sender'],
  [
    bounceCode.spamContent,
    `spam content; content + spam; message + identified as spam; detected as spam; classified as spam;
      considered spam; looks like spam; appears to be spam; appears to be unsolicited; marked as spam;
      spam message rejected; message is spam; message + likely unsolicited; likely suspicious;
      nature of the content; spam score; high spam; spam filter; content rejected; content + policy;
      content reject; junk mail; message scored; bulk mail; url + blacklist; url + blocklist; surbl; uribl;
      hash + spam`,
  ],
  [
    bounceCode.spamBlock,
    `spamhaus; spamcop; sorbs; barracudacentral; ipcheck.proofpoint; csi.mimecast; senderbase;
      talosintelligence; invaluement; uceprotect; cloudmark; abusix; trendmicro; rbl; dnsbl; blocklist;
      block list; blacklist; black list; black-list; banned sending ip; access denied, banned; spam source;
      source of spam; known spammer; reputation; unsolicited; user complaints; spamtrap; spam trap;
      poor sender score; senderscore; listed at; listed by; listed in; listed on; is listed; spam`,
  ],
  [
    bounceCode.relay,
    `relay access denied; relaying denied; relay denied; relaying not; relay not permitted;
      relaying + prohibited; unable to relay; not permitted to relay; cannot relay; can't relay;
      do not relay; don't relay; not allowed to relay; no relaying; allowed rcpthosts; not a gateway;
      not a local domain; not local + relay; authentication required; must be authenticated;
      must authenticate; authenticate first`,
  ],
  [
    bounceCode.full,
    `mailbox full; mailbox is full; mailbox has exceeded; mailbox exceeded; mailbox quota; inbox is full;
      inbox full; over quota; overquota; over the quota; over its quota; over their quota; quota exceeded;
      quota + full; exceeded + quota; exceeds + quota; disk quota; quota limit; storage allocation;
      out of storage; storage + exceeded; storage limit; not enough storage + mailbox; not enough space;
      insufficient + mailbox; mailfolder is full; account is full; too many messages in`,
  ],
  [
    bounceCode.tooLarge,
    `too large; too big; message size; size limit; size exceeds; exceeds size; exceeds + maximum size;
      maximum message size; maximum allowed size; exceeds the maximum + size; larger than`,
  ],
  // About us or the sender, although they speak of addresses, users and domains that are not found.
  [
    bounceCode.block,
    `sender address rejected; sender rejected; sender denied; sender verify; sender domain;
      domain of sender; sender's domain; client host rejected; client host blocked; helo command rejected;
      invalid helo; bad helo; cannot find your; cannot resolve your; your hostname; reverse dns; rdns;
      ptr record; dns ptr; no ptr; dmarc; dkim; spf; unauthenticated; not authenticated; anti-spoofing;
      spoofed; your ip; your server; your network; your host; mail from ip; ip address + blocked;
      ip address + not allowed; ip address + rejected; sending ip; has been blocked; is blocked; are blocked;
      blocked by; blocked for; blocked -; not accepted for policy; policy reasons; policy violation;
      local policy; security policy; administrative prohibition; administratively; prohibited;
      not authorized; not authorised; not permitted to send; permanently deferred; unexpected volume;
      too many complaints; allowlist; whitelist; restricted + sender; only accepts mail from;
      refused by recipient`,
  ],
  [
    bounceCode.invalidRecipient,
    `user unknown; unknown user; unknown recipient; recipient unknown; unknown mailbox; mailbox unknown;
      unknown address; address unknown; unknown local; unknown account; unknown or illegal alias;
      no such user; no such recipient; no such mailbox; no such address; no such account; no such person;
      no such local user; no such domain; no mailbox; no valid recipient; not a valid recipient;
      not a valid mailbox; not a valid user; not a valid address; not a known user; not our customer;
      no account; user not found; recipient not found; recipnotfound; mailbox not found; address not found;
      account not found; user + does not exist; user + doesn't exist; does not exist; doesn't exist;
      doesn't have a; does not have a; no longer; not exist; invalid recipient; invalid mailbox;
      invalid user; invalid address; invalid rcpt; bad destination; bad recipient; bad address;
      unrouteable address; unroutable address; undeliverable address; address rejected; recipient rejected;
      account + disabled; account disabled; account + inactive; account + suspended; account + closed;
      account has been; mailbox disabled; mailbox is disabled; mailbox + inactive; user disabled;
      user is disabled; user inactive; user is inactive; user suspended; deactivated; account expired;
      mailbox unavailable; mailbox not available; recipient is not; address is not valid; null mx;
      does not accept mail; not in our directory`,
  ],
  [
    bounceCode.dns,
    `domain not found; domain + not resolve; unrouteable mail domain; host not found; host unknown;
      unknown host; name service error; dns error; dns failure; dns lookup; dns problem; no mx;
      unable to resolve; nxdomain; bad mx`,
  ],
  [
    bounceCode.timeout,
    `timed out; timeout; could not be delivered + hours; could not be delivered + days; retry time;
      too long in queue; message expired`,
  ],
  [
    bounceCode.soft,
    `rate limit; rate-limit; ratelimit; throttl; too many connections; too many concurrent;
      too many messages; too many recipients; too many sessions; too much mail; at a rate that; try again;
      try later; temporarily; temporary; server busy; too busy; overload; resources; insufficient system;
      system storage; service unavailable; service not available; not currently available; maintenance;
      internal error; local error; lookup failure; connection refused; unable to connect; out of memory;
      queue file write; loop; too many hops`,
  ],
];

/** The texts of ours that carry `[internal]` (delivery, queue and console give them). */
const internalWritten: readonly (readonly [number, string])[] = [
  [bounceCode.timeout, 'exceeded max time; exceeded max retries; message expired'],
  [bounceCode.admin, 'manually; purged; blackholed; discarded by policy'],
  [bounceCode.dns, 'domain lookup failed; null mx; no mx or a; private/loopback address; dns'],
  [bounceCode.tooLarge, 'message size'],
];

interface Rule {
  readonly code: number;
  readonly words: readonly string[];
}

const rulesOf = (table: typeof written): readonly Rule[] =>
  table.flatMap(([code, phrases]) => phrases.split(/;\s+/).map((phrase) => ({ code, words: phrase.split(' + ') })));

const rules = rulesOf(written);
const internalRules = rulesOf(internalWritten);

/** @param lower the reply's text in lower case @returns undefined when no rule fits */
export const classOfText = (lower: string): number | undefined => firstOf(rules, lower);

/** The same for texts of our own. */
export const classOfInternalText = (lower: string): number | undefined => firstOf(internalRules, lower);

function firstOf(list: readonly Rule[], lower: string): number | undefined {
  for (const rule of list) if (rule.words.every((word) => lower.includes(word))) return rule.code;
  return undefined;
}
