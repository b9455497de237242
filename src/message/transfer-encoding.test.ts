import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSigned, reencode, stripped } from './transfer-encoding.ts';

const lines = (...text: readonly string[]): Buffer => Buffer.from(text.map((line) => `${line}\r\n`).join(''), 'latin1');
const seven = (message: Buffer) => {
  const { bytes, residue } = reencode(message, '8bit');
  return { text: bytes.toString('latin1'), residue };
};

/** Undoes what was done, as a reader of mail does. */
function decoded(text: string): string {
  const [, header = '', body = ''] = /^([\s\S]*?\r\n)\r\n([\s\S]*)$/.exec(text) ?? [];
  const encoding = /^Content-Transfer-Encoding: (.*)\r$/im.exec(header)?.[1];
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('latin1');
  if (encoding !== 'quoted-printable') return body;
  return body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

describe('8-bit content for a 7-bit server', () => {
  test('text becomes quoted-printable, and only its header line changes', () => {
    const message = lines(
      'Subject: x',
      'MIME-Version: 1.0',
      'Content-Transfer-Encoding: 8bit',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'na\xc3\xafve = 1 ',
      '.dot',
    );
    expect(seven(message)).toEqual({
      residue: false,
      text: lines(
        'Subject: x',
        'MIME-Version: 1.0',
        'Content-Transfer-Encoding: quoted-printable',
        'Content-Type: text/plain; charset=utf-8',
        '',
        'na=C3=AFve =3D 1=20',
        '.dot',
      ).toString('latin1'),
    });
  });

  test('text that is mostly beyond ASCII, and what is no text, becomes base64', () => {
    for (const [type, body] of [
      ['text/plain', 'приветмир'],
      ['image/png', '\x89PNG in a text of mostly ASCII'],
    ] as const) {
      const bytes = Buffer.concat([
        lines(`Content-Type: ${type}`, ''),
        Buffer.from(body, type === 'text/plain' ? 'utf8' : 'latin1'),
      ]);
      const { text } = seven(bytes);
      expect(text).toMatch(/Content-Transfer-Encoding: base64\r\n/);
      expect(decoded(text)).toBe(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4).toString('latin1'));
    }
  });

  test('mail without a MIME header gets one', () => {
    expect(seven(lines('Subject: x', '', 'caf\xe9')).text).toBe(
      'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n' +
        'Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9\r\n',
    );
  });

  const nested = (inner: string) =>
    lines(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="b 1"',
      'Content-Transfer-Encoding: 8bit',
      '',
      'preamble',
      '--b 1',
      'Content-Type: text/plain',
      '',
      'plain',
      '--b 1',
      'Content-Type: message/rfc822',
      '',
      'Subject: inner',
      'Content-Type: text/html',
      'Content-Transfer-Encoding: 8bit',
      '',
      inner,
      '--b 1--',
      'epilogue',
    );

  test('each part by itself, a message in a message too; labels of what is around them follow', () => {
    const { text, residue } = seven(nested('<p>caf\xe9</p> and so on'));
    expect(residue).toBe(false);
    expect(text).toBe(
      nested('<p>caf=E9</p> and so on')
        .toString('latin1')
        .replace('Content-Transfer-Encoding: 8bit\r\n\r\npreamble', 'Content-Transfer-Encoding: 7bit\r\n\r\npreamble')
        .replace(
          'Content-Transfer-Encoding: 8bit\r\n\r\n<p>',
          'Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>',
        ),
    );
  });

  test('nothing is touched where there is nothing to do', () => {
    const message = nested('plain');
    expect(reencode(message, '8bit')).toEqual({ bytes: message, residue: false });
  });

  test.each([
    ['a header', lines('Subject: caf\xe9', '', 'x')],
    ['a preamble', lines('Content-Type: multipart/mixed; boundary=b', '', '\xff', '--b', '', 'x', '--b--')],
    ['a signed part', lines('Content-Type: multipart/signed; boundary=b', '', '--b', '', '\xff', '--b--')],
    ['a part that says it is base64', lines('Content-Transfer-Encoding: base64', '', '\xff')],
    ['a report of another kind', lines('Content-Type: message/partial', '', '\xff')],
    ['a multipart without a boundary', lines('Content-Type: multipart/mixed', '', '\xff')],
  ])('%s beyond ASCII cannot be encoded', (_, message) => {
    expect(seven(message).residue).toBe(true);
  });

  test('a message nested without end is given up, not the server', () => {
    const message = Buffer.from(`${'Content-Type: message/rfc822\r\n\r\n'.repeat(5000)}\xff`, 'latin1');
    expect(seven(message).residue).toBe(true);
  });

  test('whatever the text is, its lines are short and ASCII, and a reader finds what was written', () => {
    const piece = fc.constantFrom('a', '=', ' ', '\t', '\r\n', '\xe9', 'words of a text ', 'From ', '.', '\0');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        const body = `${pieces.join('')}\xff plain and plain and plain`;
        const { text, residue } = seven(Buffer.from(`Content-Type: text/plain\r\n\r\n${body}`, 'latin1'));
        expect(residue).toBe(false);
        expect(text).toMatch(/^[\t\r\n\x20-\x7e]*$/);
        for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
        expect(decoded(text)).toBe(body);
      }),
    );
  });
});

describe('binary content', () => {
  test('is base64 for everybody; 8-bit parts stay what they are', () => {
    const message = Buffer.from(
      'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n' +
        '--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\r\n.\r\n\xff\r\n' +
        '--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9\r\n--b--\r\n',
      'latin1',
    );
    const { bytes, residue } = reencode(message, 'binary');
    expect(residue).toBe(false);
    expect(bytes.toString('latin1')).toBe(
      'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n' +
        `--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from('\0\n\r\r\n.\r\n\xff', 'latin1').toString('base64')}\r\n` +
        '--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9\r\n--b--\r\n',
    );
  });

  test('text with line ends that are none is base64 too', () => {
    const { bytes } = reencode(lines('Content-Transfer-Encoding: binary', '', 'a\nb'), 'binary');
    expect(bytes.toString('latin1')).toMatch(/base64/);
    expect(decoded(bytes.toString('latin1'))).toBe('a\nb\r\n');
  });
});

test.each([
  ['DKIM-Signature: v=1', true],
  ['ARC-Message-Signature: i=1', true],
  ['Content-Type: multipart/signed; boundary=x', true],
  ['Content-Type: application/pkcs7-mime', true],
  ['Content-Type: text/plain', false],
])('%s: signed %s', (field, signed) => {
  expect(isSigned(lines(field, '', 'x'))).toBe(signed);
});

test('stripping cuts the eighth bit', () => {
  expect(stripped(Buffer.from('a\xe9\xff', 'latin1')).toString('latin1')).toBe('ai\x7f');
});
