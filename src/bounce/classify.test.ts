import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reply } from '../smtp/index.ts';
import { bounceClass, bounceClasses } from './bounce-classes.ts';
import { classify } from './classify.ts';

const reference = JSON.parse(
  readFileSync(new URL('../../test/reference/bounce-codes.json', import.meta.url), 'utf8'),
) as {
  readonly categories: Record<string, number[]>;
  readonly codes: readonly {
    readonly code: number;
    readonly name: string;
    readonly enhanced_status_hints: readonly string[];
  }[];
};

const permanent = (text: string, stage = 5) => {
  const [, code = '', enhanced, rest = ''] = /^(\d{3}) (?:(\d\.\d+\.\d+) )?(.*)$/.exec(text) ?? [];
  return classify(reply(Number(code), enhanced, rest), 'permanent', stage);
};
const transient = (text: string, stage = 5) => {
  const [, code = '', enhanced, rest = ''] = /^(\d{3}) (?:(\d\.\d+\.\d+) )?(.*)$/.exec(text) ?? [];
  return classify(reply(Number(code), enhanced, rest), 'transient', stage);
};

test('the classes are those of the reference, with their names and categories', () => {
  expect(bounceClasses.map(({ code, name }) => ({ code, name }))).toEqual(
    reference.codes.map(({ code, name }) => ({ code, name })),
  );
  for (const [category, codes] of Object.entries(reference.categories)) {
    for (const code of codes) expect(bounceClass(code)?.category).toBe(category);
  }
});

test('an enhanced status without telling words has the class of the reference', () => {
  for (const { code, enhanced_status_hints } of reference.codes) {
    for (const hint of enhanced_status_hints.filter((each) => /^\d\.\d+\.\d+$/.test(each))) {
      const kind = hint.startsWith('4') ? 'transient' : 'permanent';
      expect([hint, classify(reply(hint.startsWith('4') ? 450 : 550, hint, 'no'), kind, 5)]).toEqual([hint, code]);
    }
  }
});

test.each([
  ['554 5.4.7 [internal] exceeded max time without delivery', 24],
  ['554 5.4.7 [internal] exceeded max retries without delivery', 24],
  ['554 5.4.5 [internal] Delivery not attempted (message expired)', 24],
  ['554 5.7.0 [internal] Message manually purged', 25],
  ['554 5.7.0 [internal] Blackholed', 25],
  ['554 manually failed', 25],
  ['554 we do not want this customer any more', 25],
  ['554 5.4.4 [internal] Domain Lookup Failed', 21],
  ['550 5.4.4 [internal] NULL MX domain does not accept mail', 21],
  ['550 5.4.4 [internal] no MX or A for domain', 21],
  ['551 5.4.6 [internal] Private/Loopback Address', 21],
  ['552 5.3.4 [internal] message size exceeds remote limit', 23],
])('our own %s is class %i', (text, code) => {
  expect(permanent(text, 22)).toBe(code);
});

test.each([
  ['550 5.1.1 no such user', 10],
  ['550 5.1.1 <a@b.test>: Recipient address rejected: User unknown in virtual mailbox table', 10],
  ['550 5.1.1 The account that you tried to reach does not exist', 10],
  ['554 delivery error: this user does not have a b.test account', 10],
  ['550 5.4.1 Recipient address rejected: Access denied', 10],
  ['550 5.1.1 User (a) not listed in Domino Directory', 10],
  ['550 relay user unknown in relay recipient table', 10],
  ['552 5.2.2 The account that you tried to reach is over quota', 22],
  ['554 5.2.2 mailbox full', 22],
  ['552 5.3.4 message size exceeds fixed limit', 23],
  ['554 5.7.1 <a@b.test>: Relay access denied', 54],
  ['550 5.7.1 Unable to relay', 54],
  ['550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.test', 51],
  ['550 5.7.1 your address is on our block list (S3140)', 51],
  ['550 5.7.606 Access denied, banned sending IP [192.0.2.1]', 51],
  ['554 5.7.1 This message has been identified as spam', 52],
  ['550 5.7.1 message likely unsolicited mail', 52],
  ['552 5.7.0 blocked because its content presents a potential security issue', 53],
  ['554 virus EICAR found', 53],
  ['550 5.7.26 unauthenticated email is not accepted due to the DMARC policy', 50],
  ['554 5.7.1 Client host rejected: cannot find your hostname', 50],
  ['550 5.1.8 Sender address rejected: Domain not found', 50],
  ['550 5.7.350 something about policy only they know', 50],
  ['550 unrouteable mail domain', 21],
  ['550 confirm that you are human first', 100],
  ['550 5.1.1 <nospam@virus.test>: user unknown', 10],
  ['550 no', 40],
  ['554 5.0.0 no', 40],
  ['551 no', 10],
])('%s is class %i', (text, code) => {
  expect(permanent(text)).toBe(code);
});

test.each([
  ['450 4.2.0 try again later', 20],
  ['451 4.7.1 Greylisted by policy, listed in our database', 20],
  ['450 4.2.1 mailbox unavailable', 20],
  ['452 4.2.2 mailbox full', 22],
  ['421 4.7.0 too many connections', 20],
  ['421 4.7.0 temporarily deferred due to user complaints', 51],
  ['450 4.4.1 [internal] Connection Timed Out', 24],
  ['451 4.7.5 [internal] TLS negotiation failed', 70],
  ['451 no', 70],
])('while it is tried again, %s is class %i', (text, code) => {
  expect(transient(text)).toBe(code);
});

test('552 without words means a full mailbox at RCPT and a large message later', () => {
  expect(permanent('552 no', 5)).toBe(22);
  expect(permanent('552 no', 9)).toBe(23);
});

test('a 4xx that has become final is a soft bounce, and what is no failure at all stays undetermined', () => {
  expect(permanent('450 no')).toBe(20);
  expect(permanent('299 what')).toBe(1);
});

test('every answer is a known class', () => {
  const known = new Set(bounceClasses.map((each) => each.code));
  for (let code = 200; code < 600; code += 7) {
    for (let stage = 0; stage <= 22; stage++) {
      expect(
        known.has(
          classify(reply(code, undefined, 'x'.repeat(5000)), code % 2 === 0 ? 'permanent' : 'transient', stage),
        ),
      ).toBe(true);
    }
  }
});
