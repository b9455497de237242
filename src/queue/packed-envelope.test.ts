import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindingName, millis } from '../base/index.ts';
import { type Envelope, formatId, nullId } from '../message/index.ts';
import { mayHold, packEnvelope, unpackEnvelope } from './packed-envelope.ts';

const anId = fc
  .record({ counter: fc.nat(65_535), instance: fc.nat(65_535), second: fc.nat(2 ** 32 - 1) })
  .map(formatId);
const words = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 2 });

test('an envelope comes back as it was packed', () => {
  const recipient = fc.record({
    id: anId,
    path: fc.string({ maxLength: 30 }),
    binding: fc.constantFrom('default', 'b1', 'b2').map(bindingName),
  });
  const envelope = fc.record({
    batchId: anId,
    connectionId: fc.oneof(anId, fc.constant(nullId)),
    receivedAt: fc.nat(2 ** 31).map((value) => millis(value * 1000.5)),
    reversePath: fc.string({ maxLength: 30 }),
    recipients: fc.array(recipient, { maxLength: 4 }),
    protocol: fc.constantFrom('esmtp' as const, 'internal' as const),
    peer: fc.constantFrom('', '192.0.2.1', '2001:db8::1'),
    size: fc.nat(),
    context: fc.record({ connection: words, message: words }),
  });
  fc.assert(
    fc.property(envelope, (given) => {
      // Objects without a prototype are what fast-check makes and JSON does not.
      const plain: Envelope = structuredClone({ ...given, context: JSON.parse(JSON.stringify(given.context)) });
      expect(unpackEnvelope(packEnvelope(plain, true), plain.receivedAt, undefined)).toEqual(plain);
      expect(unpackEnvelope(packEnvelope(plain, false), plain.receivedAt, plain.context)).toEqual(plain);
    }),
  );
});

test('the usual envelope takes little more than its texts, at one byte a character', () => {
  const batchId = formatId({ counter: 300, instance: 812, second: 1_700_000_000 });
  const envelope: Envelope = {
    batchId,
    connectionId: formatId({ counter: 301, instance: 812, second: 1_700_000_000 }),
    receivedAt: millis(1_700_000_000_123),
    reversePath: 'news@sender.example.com',
    recipients: [{ id: batchId, path: 'somebody@receiver.example.org', binding: bindingName('default') }],
    protocol: 'esmtp',
    peer: '192.0.2.1',
    size: 1234,
    context: { connection: {}, message: {} },
  };
  const packed = packEnvelope(envelope, false);
  expect(packed.length).toBeLessThan(110);
  expect(packed).toMatch(/^[\x00-\xff]*$/);
  expect(mayHold(packed, batchId)).toBe(true);
  expect(mayHold(packed, formatId({ counter: 1, instance: 1, second: 1 }))).toBe(false);
});
