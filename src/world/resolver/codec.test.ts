import type { Answer } from 'dns-packet';
import packet from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeReply, encodeQuery, UDP_PAYLOAD } from './codec.ts';
import { readAnswer } from './read-answer.ts';

test('a query asks for recursion, for the AD flag, and for answers up to our size', () => {
  const query = packet.decode(encodeQuery(4711, 'eXample.com', 'MX', true));
  expect(query).toMatchObject({
    id: 4711,
    type: 'query',
    flag_rd: true,
    flag_ad: true,
    questions: [{ name: 'eXample.com', type: 'MX' }],
  });
  expect(query.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: UDP_PAYLOAD }]);
  expect(packet.decode(encodeQuery(1, 'a', 'A', false)).additionals).toEqual([]);
});

test('names from outside become harmless', () => {
  const bytes = packet.encode({
    type: 'response',
    id: 1,
    questions: [{ name: 'a.example', type: 'MX' }],
    answers: [
      {
        type: 'MX',
        name: 'a.example',
        ttl: 2 ** 31,
        class: 'IN',
        data: { preference: 1, exchange: 'mx\r\n250 OK.Example' },
      },
      { type: 'MX', name: 'a.example', ttl: 5, class: 'CH', data: { preference: 2, exchange: 'chaos.example' } },
    ],
  });
  const reply = decodeReply(bytes);
  expect(reply?.answers).toEqual([
    { owner: 'a.example', ttl: 0, record: { type: 'MX', preference: 1, host: 'mx??250?ok.example' } },
  ]);
});

test('a letter that only lower case makes ASCII is no letter of the name', () => {
  const answers: Answer[] = [
    { type: 'MX', name: 'a.example', data: { preference: 1, exchange: 'mx.ban\u212a.example' } },
  ];
  const reply = decodeReply(packet.encode({ type: 'response', id: 1, answers }));
  expect(reply?.answers).toMatchObject([{ record: { host: 'mx.ban?.example' } }]);
});

test.each<Answer>([
  { type: 'A', name: 'a.example', class: 'IN', data: '192.0.2.1' },
  { type: 'AAAA', name: 'a.example', class: 'IN', data: '2001:db8::1' },
  { type: 'TXT', name: 'a.example', class: 'IN', data: ['v=spf1 ip4:192.0.2.0/24 -all', 'y'] },
  { type: 'MX', name: 'a.example', class: 'IN', data: { preference: 1, exchange: 'mx.example' } },
])('an answer that is cut off anywhere and does not say so is none: $type', (answer) => {
  const whole = packet.encode({
    type: 'response',
    id: 1,
    questions: [{ name: 'a.example', type: 'A' }],
    answers: [answer],
  });
  expect(decodeReply(whole)?.answers).toHaveLength(1);
  const taken = Array.from({ length: whole.length }, (_, length) => length).filter((length) =>
    decodeReply(whole.subarray(0, length)),
  );
  expect(taken).toEqual([]);
});

test('no bytes break the decoder or the reader', () => {
  const good = packet.encode({
    type: 'response',
    id: 1,
    questions: [{ name: 'a.example', type: 'A' }],
    answers: [
      { type: 'CNAME', name: 'a.example', class: 'IN', data: 'b.example' },
      { type: 'A', name: 'b.example', class: 'IN', data: '192.0.2.1' },
      { type: 'TXT', name: 'b.example', class: 'IN', data: ['x', 'y'] },
    ],
    authorities: [{ type: 'SOA', name: 'example', class: 'IN', data: { mname: 'ns.example', rname: 'h.example' } }],
  });
  const twisted = fc
    .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(good.length))
    .map(([flips, length]) => {
      const bytes = Buffer.from(good);
      for (const [at, byte] of flips) bytes[at] = byte;
      return bytes.subarray(0, length);
    });
  fc.assert(
    fc.property(fc.oneof(twisted, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      const reply = decodeReply(bytes);
      if (reply) readAnswer(reply, 'a.example', 'A');
    }),
    { numRuns: 3000 },
  );
});
