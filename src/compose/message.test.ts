import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { joined } from '../base/index.ts';
import { templates } from '../templates/index.ts';
import { fromQuotedPrintable, quotedPrintable, withCrlf } from './encode.ts';
import { encodedWords } from './fields.ts';
import {
  attachment,
  buildMessage,
  compileRfc822,
  fieldText,
  inlineImage,
  type MessageParts,
  MimeError,
  mailboxText,
  parseAddressText,
} from './index.ts';

const nothing: MessageParts = {
  fields: [],
  text: undefined,
  html: undefined,
  amp: undefined,
  inline: [],
  attachments: [],
  id: '1.2',
};
const built = (parts: Partial<MessageParts>): Buffer => joined(buildMessage({ ...nothing, ...parts }));
const png = Buffer.from('not really a picture');

describe('MIME', () => {
  test('one part stands alone, without a container', () => {
    expect(built({ text: 'x\ny' }).toString()).toBe(
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx\r\ny\r\n',
    );
  });

  test('everything at once is read by another reader as it was written', async () => {
    const message = built({
      fields: [{ name: 'Subject', value: 'Grüße 🎉' }],
      text: 'Gruß =\n.',
      html: '<img src="cid:logo.png">ä',
      amp: '<!doctype html><html ⚡4email></html>',
      inline: [inlineImage('logo.png', 'image/png', png)],
      attachments: [attachment('Übersicht "neu".pdf', 'application/pdf', png)],
    });
    const read = await PostalMime.parse(message);
    expect(read.subject).toBe('Grüße 🎉');
    expect(read.text?.trim()).toBe('Gruß =\n.');
    expect(read.html?.trim()).toBe('<img src="cid:logo.png">ä');
    expect(read.attachments.slice(1).map((each) => [each.filename, each.contentId, each.disposition])).toEqual([
      ['logo.png', '<logo.png>', 'inline'],
      ['Übersicht "neu".pdf', undefined, 'attachment'],
    ]);
    const shape = [...message.toString('latin1').matchAll(/Content-Type: ([a-z-]+\/[a-z-]+)/g)].map(([, type]) => type);
    expect(shape).toEqual([
      'multipart/mixed',
      'multipart/alternative',
      'text/plain',
      'text/x-amp-html',
      'multipart/related',
      'text/html',
      'image/png',
      'application/pdf',
    ]);
  });

  test('whatever the texts are, lines are short enough, ASCII, and end with CRLF', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (text, html) => {
          const message = built({
            text: text.repeat(5),
            html,
            fields: [{ name: 'X', value: text.replace(/[\x00-\x1f\x7f]/g, ' ') }],
          });
          expect(message.every((byte) => byte < 128)).toBe(true);
          for (const line of message.toString('latin1').split('\r\n')) {
            expect(line).not.toMatch(/[\r\n]/);
            expect(line.length).toBeLessThanOrEqual(998);
          }
        },
      ),
    );
  });

  test('a text cannot hold the boundary of its own message', () => {
    const text = built({ text: '--=_1.2_0--', html: 'x' }).toString();
    expect(text.split('--=_1.2_0--')).toHaveLength(2);
  });
});

test('quoted-printable comes back as it was, on lines of at most 76', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const wanted = Buffer.from(withCrlf(text));
      const coded = quotedPrintable(withCrlf(text)).toString('latin1');
      expect(fromQuotedPrintable(coded)).toEqual(wanted);
      expect(coded.split('\r\n').every((line) => line.length <= 76 && !/[ \t]$/.test(line))).toBe(true);
    }),
  );
});

describe('header fields', () => {
  test('no character is cut in two, and no encoded word is too long', () => {
    const words = encodedWords('ü🎉€'.repeat(50)).split('\r\n ');
    expect(words.every((word) => word.length <= 75)).toBe(true);
    const texts = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString());
    expect(texts.join('')).toBe('ü🎉€'.repeat(50));
    expect(texts.join('')).not.toContain('\ufffd');
  });

  test('names in lists of addresses are encoded, and addresses are not', () => {
    expect(fieldText({ name: 'Cc', value: 'Jörg <j@x.test>, "B, C" <b@x.test>' })).toBe(
      'Cc: =?UTF-8?B?SsO2cmc=?= <j@x.test>, "B, C" <b@x.test>\r\n',
    );
    expect(mailboxText('a "b" c', 'x@y.z')).toBe('"a \\"b\\" c" <x@y.z>');
  });

  test('long values are folded at blanks, so that unfolding gives them back', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (text) => {
        const value = text.replace(/[^\x21-\x7e]+/g, ' ').trim();
        fc.pre(!value.includes('=?'));
        const line = fieldText({ name: 'Subject', value });
        expect(line.replace(/\r\n(?= )/g, '')).toBe(`Subject: ${value}\r\n`);
      }),
    );
  });
});

test.each([
  ['a@b.test', 'a@b.test'],
  [' A.b+c@B.Test ', 'A.b+c@B.Test'],
  ['"a b"@b.test', '"a b"@b.test'],
  ['a@bücher.test', 'a@xn--bcher-kva.test'],
])('%j is an address', (text, path) => {
  expect(parseAddressText(text)).toMatchObject({ path });
});

test.each([
  '',
  'a',
  '@b.test',
  'a@',
  'a b@c.test',
  'a..b@c.test',
  'a@b.test\r\nX: y',
  'a\r\n@b.test',
  '<a@b.test>',
  `${'a'.repeat(65)}@b.test`,
  'a@b..test',
  'ä@b.test',
  'a,b@c.test',
])('%j is none', (text) => {
  expect(typeof parseAddressText(text)).toBe('string');
});

describe('RFC 822', () => {
  const language = templates(() => 0);
  const refuse = (name: string): never => {
    throw new Error(`controls in ${name}`);
  };
  const filled = (source: string, fields: Record<string, string>, bodies = true): string =>
    joined(compileRfc822(source, language, { bodies, refuse }).render({ layers: [fields], shared: {} })).toString();

  test('header and the first parts are filled in; attachments and the second of a kind are not', () => {
    const part = (head: string, body: string): string => `--b\n${head}\n\n${body}\n`;
    const source = `Subject: =?UTF-8?Q?Hi_{{n}}?=\nX-Plain: as {it} is\nContent-Type: multipart/mixed; boundary="b"\n\npreamble {{n}}\n${part('Content-Type: text/plain\nContent-Disposition: attachment', 'A {{n}}')}${part('Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable', '=7B{n}}=C3=A4')}${part('Content-Type: text/html\nContent-Transfer-Encoding: base64', Buffer.from('<b>{{n}}</b>').toString('base64'))}${part('Content-Type: text/plain', 'B {{n}}')}--b--\nepilogue`;
    expect(filled(source, { n: '<Ä>' })).toBe(
      `${[
        'Subject: =?UTF-8?B?SGkgPMOEPg==?=',
        'X-Plain: as {it} is',
        'Content-Type: multipart/mixed; boundary="b"',
        '',
        'preamble {{n}}',
        '--b',
        'Content-Type: text/plain',
        'Content-Disposition: attachment',
        '',
        'A {{n}}',
        '--b',
        'Content-Type: text/plain; charset=UTF-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '<=C3=84>=C3=A4',
        '',
        '--b',
        'Content-Type: text/html; charset=UTF-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '<b>&lt;=C3=84&gt;</b>',
        '',
        '--b',
        'Content-Type: text/plain',
        '',
        'B {{n}}',
        '--b--',
        'epilogue',
      ].join('\r\n')}\r\n`,
    );
  });

  test('what has no templates comes out byte for byte, with CRLF', () => {
    const source =
      'Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nText\n--b\nContent-Type: text/html\n\n<p>\n--b--\n';
    expect(filled(source, {})).toBe(withCrlf(source));
    expect(filled('A: b\n\n{{x}}', {}, false)).toBe('A: b\r\n\r\n{{x}}\r\n');
  });

  test('a value cannot add a field', () => {
    expect(() => filled('Subject: {{n}}\n\nx', { n: 'a\r\nBcc: b@c.test' })).toThrow('controls in Subject');
  });

  test.each([
    '',
    'no header here\n\nx',
    ' a: b\n\n',
    'Content-Type: multipart/mixed\n\nx',
    'Content-Type: multipart/mixed; boundary=b\n\nx',
  ])('%j is no message', (source) => {
    expect(() => filled(source, {})).toThrow(MimeError);
  });

  test('whatever is sent, it is a message or an error', () => {
    const bit = fc.oneof(
      fc.constantFrom(
        '\n',
        '\n\n',
        '--b',
        '--',
        'Content-Type: multipart/mixed; boundary=b',
        'Content-Type: text/html',
        'Content-Transfer-Encoding: base64',
        '{{x}}',
        ': ',
        ' ',
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 30 }), (bits) => {
        try {
          expect(filled(`A: b\n${bits.join('')}`, { x: 'y' })).not.toMatch(/(?<!\r)\n/);
        } catch (error) {
          expect(['MimeError', 'TemplateError']).toContain((error as Error).constructor.name);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test.each(['Reply-To', 'To', 'CC', 'From', 'Subject', 'X-Any'])(
  'letters whose Latin-1 byte would be a line end do not break %s',
  (name) => {
    for (const value of [
      'a\u010d\u010aBcc: b@evil.test',
      '"A" <a\u010aBcc: b@evil.test>, c@x.test',
      'a@\u010d\u010a.test',
    ]) {
      const text = fieldText({ name, value });
      expect(text).toMatch(/^[\x20-\x7e\r\n]*$/);
      expect(Buffer.from(text, 'latin1').toString('latin1')).toBe(text);
      expect(text.split('\r\n').filter((line) => line !== '' && !line.startsWith(' '))).toHaveLength(1);
    }
  },
);

test('an address whose domain is not ASCII has A-labels in a field of addresses', () => {
  expect(fieldText({ name: 'Reply-To', value: 'Ann <a@bücher.example>' })).toBe(
    'Reply-To: "Ann" <a@xn--bcher-kva.example>\r\n',
  );
});

test('the name of an image cannot add a line to its header', () => {
  const { head } = inlineImage('gr\u00f6\u010aX: y', 'image/png', Buffer.alloc(3));
  expect(
    head
      .toString('latin1')
      .split('\r\n')
      .filter((line) => /^X:|\n/.test(line)),
  ).toEqual([]);
  expect(head.toString('latin1')).toContain('Content-ID: <gr%C3%B6%C4%8AX:%20y>\r\n');
});
