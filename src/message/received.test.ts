import fc from 'fast-check';
import { expect, test } from 'vitest';
import { millis } from '../base/index.ts';
import { formatId } from './ids.ts';
import type { ReceivedParts } from './received.ts';
import { receivedField } from './received.ts';

const usual: ReceivedParts = {
  remote: { ip: '192.0.2.7', port: 40112 },
  helo: 'client.test',
  host: 'mx.test',
  reversePath: 'news@sender.test',
  product: 'Impetus 0.1.0',
  protocol: 'ESMTP',
  id: formatId({ counter: 300, instance: 812, second: 1_700_000_000 }),
  recipients: ['ann@dest.test'],
  date: millis(1_700_000_000_000),
};

const written = (parts: Partial<ReceivedParts>) => receivedField({ ...usual, ...parts }).toString('latin1');

test('a message for one recipient says from whom, by whom, for whom and when', () => {
  expect(written({})).toBe(
    'Received: from [192.0.2.7] ([192.0.2.7]:40112 helo=client.test)\r\n' +
      '\tby mx.test (envelope-from <news@sender.test>)\r\n' +
      '\t(Impetus 0.1.0) with ESMTP id C2/10-00812-001F3556\r\n' +
      '\tfor <ann@dest.test>;\r\n' +
      '\tTue, 14 Nov 2023 22:13:20 +0000\r\n',
  );
});

test('with two recipients none is named', () => {
  expect(written({ recipients: ['ann@dest.test', 'bob@dest.test'] })).not.toContain('for <');
});

test('an IPv6 client has the tag of RFC 5321 in its address literal', () => {
  expect(written({ remote: { ip: '2001:db8::1', port: 25 } })).toContain(
    'from [IPv6:2001:db8::1] ([2001:db8::1]:25 helo=client.test)',
  );
});

test('a client on a Unix socket has no address', () => {
  expect(written({ remote: { ip: '', port: 0, path: '/run/in' } })).toContain('from localhost (unix helo=client.test)');
});

test('mail that came over no connection has no from clause', () => {
  expect(written({ remote: undefined })).toMatch(/^Received: by mx\.test \(envelope-from/);
});

test('a HELO name cannot forge a field, close the comment or send 8-bit bytes', () => {
  const text = written({ helo: 'a)\r\nX-Forged: yes\r\n (\\\u00e9' });
  expect(text).toContain('helo=a???X-Forged: yes?? ???)');
  expect(text.split('\r\n').every((line, index) => index === 0 || line === '' || line.startsWith('\t'))).toBe(true);
});

test('whatever a client says, the field is one folded field of ASCII lines below the limit', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 2000, unit: 'binary' }),
      fc.string({ maxLength: 2000, unit: 'binary' }),
      (helo, path) => {
        const text = written({ helo, reversePath: path, recipients: [path] });
        expect(text).toMatch(/^Received: [\x20-\x7e]*\r\n(?:\t[\x20-\x7e]+\r\n)+$/);
        for (const line of text.split('\r\n')) expect(line.length).toBeLessThan(998);
      },
    ),
  );
});
