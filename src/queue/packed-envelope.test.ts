import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindingName, millis } from '../base/index.ts';
import { type Envelope, type EnvelopeRecipient, formatId, nullId, type SenderRequests } from '../message/index.ts';
import { EnvelopeStore } from './envelope-store.ts';
import { packEnvelope, unpackEnvelope } from './packed-envelope.ts';

const anId = fc
  .record({ counter: fc.nat(65_535), instance: fc.nat(65_535), second: fc.nat(2 ** 32 - 1) })
  .map(formatId);
const words = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 2 });
const recipient = fc.record({
  id: anId,
  path: fc.string({ maxLength: 30, unit: 'grapheme' }),
  binding: fc.constantFrom('default', 'b1', 'b2').map(bindingName),
  more: fc.constantFrom<Partial<EnvelopeRecipient>>(
    {},
    {},
    { requests: { notify: [], orcpt: 'rfc822;x\xff' } },
    { requests: { notify: ['SUCCESS'] } },
    { refused: { code: 550, enhanced: '5.7.1', text: 'no' } },
    { context: { k: 'v', 'ü\ud83d\ude00': '' } },
    { context: {}, requests: { notify: ['SUCCESS'] }, refused: { code: 450, enhanced: '4.7.1', text: 'later' } },
    { requests: { notify: ['DELAY'] }, refused: { code: 550, enhanced: undefined, text: '' } },
  ),
});
/** As a session makes them: objects of fast-check have no prototype. */
const anEnvelope = fc
  .record({
    batchId: anId,
    connectionId: fc.oneof(anId, fc.constant(nullId)),
    receivedAt: fc.nat(2 ** 31).map((value) => millis(value * 1000.5)),
    reversePath: fc.string({ maxLength: 30 }),
    recipients: fc.array(recipient, { maxLength: 4 }),
    protocol: fc.constantFrom('esmtp' as const, 'internal' as const),
    peer: fc.constantFrom('', '192.0.2.1', '2001:db8::1'),
    size: fc.nat(),
    context: fc.record({ connection: words, message: words }),
    requests: fc.constantFrom<SenderRequests | undefined>(
      undefined,
      undefined,
      { body: 'BINARYMIME' },
      { ret: 'FULL', envid: 'x\xff' },
    ),
  })
  .map(
    ({ requests, ...given }): Envelope =>
      structuredClone({
        ...given,
        recipients: given.recipients.map(({ more, ...to }) => ({ ...to, ...more })),
        context: JSON.parse(JSON.stringify(given.context)),
        ...(requests === undefined ? {} : { requests }),
      }),
  );

test('an envelope comes back as it was packed, with its context or without', () => {
  fc.assert(
    fc.property(anEnvelope, (given) => {
      expect(unpackEnvelope(packEnvelope(given, undefined), given.receivedAt, [])).toEqual(given);
      expect(unpackEnvelope(packEnvelope(given, 0), given.receivedAt, [given.context])).toEqual(given);
    }),
  );
});

test('a store gives back what was put in, in any order of coming and going', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ given: anEnvelope, leaves: fc.nat(20) }), { maxLength: 40 }), (steps) => {
      const store = new EnvelopeStore();
      const kept: { ref: number; given: Envelope }[] = [];
      for (const { given, leaves } of steps) {
        kept.push({ ref: store.put(given), given });
        const gone = kept[leaves];
        if (gone === undefined) continue;
        store.release(gone.ref);
        kept.splice(leaves, 1);
      }
      for (const { ref, given } of kept) {
        expect(store.get(ref, given.receivedAt)).toEqual(given);
        expect(store.mayHold(ref, given.batchId)).toBe(true);
      }
    }),
  );
});

const usual = (number: number): Envelope => {
  const batchId = formatId({ counter: number % 65_536, instance: 812, second: 1_700_000_000 });
  return {
    batchId,
    connectionId: formatId({ counter: 301, instance: 812, second: 1_700_000_000 }),
    receivedAt: millis(1_700_000_000_123),
    reversePath: 'news@sender.example.com',
    recipients: [{ id: batchId, path: 'somebody@receiver.example.org', binding: bindingName('default') }],
    protocol: 'esmtp',
    peer: '192.0.2.1',
    size: 1234,
    context: { connection: { pathway: 'default', can_relay: 'true' }, message: {} },
  };
};

test('the usual envelope takes little more than its texts, and its place is taken again', () => {
  expect(packEnvelope(usual(300), 0).length).toBeLessThan(110);
  const store = new EnvelopeStore();
  const first = store.put(usual(1));
  store.release(first);
  expect(store.put(usual(2))).toBe(first);
  expect(store.mayHold(first, usual(1).batchId)).toBe(false);
});

test('an envelope longer than a page has its own place', () => {
  const one = usual(1);
  const recipients = Array.from({ length: 40_000 }, (_, i) => ({
    id: formatId({ counter: i, instance: 1, second: 1 }),
    path: `somebody-${i}@receiver.example.org`,
    binding: bindingName('default'),
  }));
  const store = new EnvelopeStore();
  const ref = store.put({ ...one, recipients });
  const small = store.put(one);
  expect(store.get(ref, one.receivedAt).recipients.length).toBe(40_000);
  expect(store.get(small, one.receivedAt)).toEqual(one);
  store.release(ref);
  expect(() => store.get(ref, one.receivedAt)).toThrow(RangeError);
});

test('an envelope that is asked for again and again is unpacked once, until its place is given to another', () => {
  const envelope = (to: string): Envelope => ({
    batchId: nullId,
    connectionId: nullId,
    receivedAt: millis(0),
    reversePath: 'a@b.test',
    recipients: [{ id: nullId, path: to, binding: bindingName('default') }],
    protocol: 'esmtp',
    peer: '',
    size: 1,
    context: { connection: {}, message: {} },
  });
  const store = new EnvelopeStore();
  const first = store.put(envelope('one@d.test'));
  expect(store.get(first, millis(0))).toBe(store.get(first, millis(0)));
  store.release(first);
  const second = store.put(envelope('two@d.test'));
  expect(second).toBe(first);
  expect(store.get(second, millis(0)).recipients[0]?.path).toBe('two@d.test');
});
