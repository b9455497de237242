import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joined, millis } from '../base/index.ts';
import { beginsWithHeader, fillerText, type TestBody, testBody, testMessage } from './send-message.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const template = (body: TestBody) => ({
  from: 's{n}@a.example',
  to: ['r{n}@b.example', 'c@d.example'],
  subject: 'Nr {n}',
  text: body,
  hostName: 'here.example',
});

describe('a body is made ready for the wire', () => {
  test('every line ends in CRLF, leading dots are doubled, the final dot is there', () => {
    expect(text(testBody(Buffer.from('a\n.b\r\n..\rc'), false).wire)).toBe('a\r\n..b\r\n...\r\nc\r\n.\r\n');
    expect(text(testBody(Buffer.from(''), false).wire)).toBe('.\r\n');
    expect(text(testBody(Buffer.from('.'), false).wire)).toBe('..\r\n.\r\n');
  });

  test('its size is counted before dots are doubled', () => {
    expect(testBody(Buffer.from('.b\n'), false).size).toBe(4);
  });

  test('bytes above 127 go through unchanged and are noticed', () => {
    const body = testBody(Buffer.from('gr\u00fc\u00dfe\n'), false);
    expect(body.eightBit).toBe(true);
    expect(body.wire.subarray(0, -3).toString('utf8')).toBe('gr\u00fc\u00dfe\r\n');
    expect(testBody(Buffer.from('plain'), false).eightBit).toBe(false);
  });

  test('whatever it was, what a server reads back is the text with CRLFs', () => {
    const piece = fc.constantFrom('.', '..', 'x', '\r', '\n', '\r\n', '\u00ff', '');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const plain = pieces.join('');
        const wire = text(testBody(Buffer.from(plain, 'latin1'), false).wire);
        expect(wire === '.\r\n' || wire.endsWith('\r\n.\r\n')).toBe(true);
        const lines = wire
          .slice(0, -3)
          .split('\r\n')
          .map((line) => (line.startsWith('.') ? line.slice(1) : line));
        const meant = plain.split(/\r\n|\r|\n/);
        if (meant.at(-1) !== '') meant.push('');
        expect(lines).toEqual(meant);
      }),
    );
  });

  test('a filler text is as long as was asked, in lines that may be sent', () => {
    for (const bytes of [0, 2, 3, 73, 74, 75, 76, 77, 148, 149, 150, 10_240]) {
      const filler = fillerText(bytes);
      expect(filler.length).toBe(bytes);
      expect(testBody(filler, false).size).toBe(bytes);
      for (const line of text(filler).split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    }
  });
});

describe('a message', () => {
  test('carries its number, its date and a Message-ID of its own', () => {
    const message = testMessage(template(testBody(Buffer.from('hello'), false)), 7, millis(1_772_532_000_000), 'token');
    expect(message.reversePath).toBe('s7@a.example');
    expect(message.recipients).toEqual(['r7@b.example', 'c@d.example']);
    const wire = text(joined(message.wire));
    expect(wire).toBe(
      [
        'Date: Tue, 03 Mar 2026 10:00:00 +0000',
        'From: <s7@a.example>',
        'To: <r7@b.example>,\r\n <c@d.example>',
        'Subject: Nr 7',
        'Message-ID: <token.7@here.example>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'hello',
        '.',
        '',
      ].join('\r\n'),
    );
    expect(message.size).toBe(wire.length - 3);
  });

  test('a subject that is not ASCII is encoded in words of at most 75 characters', () => {
    const subject = '\u00e4\u{1f600}'.repeat(40);
    const wire = text(
      joined(testMessage({ ...template(testBody(Buffer.from(''), false)), subject }, 1, millis(0), 't').wire),
    );
    const words = [...wire.matchAll(/=\?utf-8\?B\?([^?]*)\?=/g)];
    expect(words.map((word) => Buffer.from(word[1] ?? '', 'base64').toString()).join('')).toBe(subject);
    for (const [word] of words) expect(word.length).toBeLessThanOrEqual(75);
  });

  test('a line break in a subject cannot add a header field', () => {
    const wire = text(
      joined(
        testMessage({ ...template(testBody(Buffer.from(''), false)), subject: 'a\r\nBcc: x' }, 1, millis(0), 't').wire,
      ),
    );
    expect(wire).toContain('Subject: a Bcc: x\r\n');
  });

  test('a text that begins with a header is a whole message and is sent as it stands', () => {
    const bytes = Buffer.from('Subject: mine\n\nhello\n');
    expect(beginsWithHeader(bytes)).toBe(true);
    expect(beginsWithHeader(Buffer.from('Dear Ann, note:\n'))).toBe(false);
    expect(beginsWithHeader(Buffer.from(''))).toBe(false);
    expect(text(joined(testMessage(template(testBody(bytes, true)), 1, millis(0), 't').wire))).toBe(
      'Subject: mine\r\n\r\nhello\r\n.\r\n',
    );
  });
});
