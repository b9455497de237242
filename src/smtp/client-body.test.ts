import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutgoingBody } from './client-body.ts';

const send = (text: string, cuts: readonly number[], dots: boolean, lone: boolean): string => {
  const body = new OutgoingBody(dots, lone);
  const bytes = Buffer.from(text, 'latin1');
  let out = '';
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut < from) continue;
    out += Buffer.concat(body.pass([bytes.subarray(from, cut)]) as Uint8Array[]).toString('latin1');
    from = cut;
  }
  return out + Buffer.concat(body.end() as Uint8Array[]).toString('latin1');
};

test('a plain body goes through as it is and gets its dot', () => {
  expect(send('a\r\nb\r\n', [], false, false)).toBe('a\r\nb\r\n.\r\n');
  expect(send('', [], false, false)).toBe('.\r\n');
});

test('a body that does not end with CRLF gets one before the dot', () => {
  expect(send('a', [], false, false)).toBe('a\r\n.\r\n');
  expect(send('a\r\n', [1, 2], false, false)).toBe('a\r\n.\r\n');
});

test('leading dots are doubled wherever the slices are cut', () => {
  for (let cut = 0; cut <= 9; cut++)
    expect(send('.a\r\n.\r\n..b\r\n', [cut], true, false)).toBe('..a\r\n..\r\n...b\r\n.\r\n');
});

test('a lone CR or LF is sent as CRLF and the line behind it is dot-stuffed', () => {
  for (let cut = 0; cut <= 8; cut++) expect(send('a\n.\rb\r\n', [cut], false, true)).toBe('a\r\n..\r\nb\r\n.\r\n');
  expect(send('a\r', [], false, true)).toBe('a\r\n.\r\n');
});

test('no body, however it is cut, holds a lone CR or LF or ends early', () => {
  const pieces = fc.array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.\r\n'), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(60), { maxLength: 4 }), (parts, cuts) => {
      const text = parts.join('');
      const out = send(
        text,
        cuts.filter((cut) => cut <= text.length).sort((a, b) => a - b),
        true,
        true,
      );
      expect(out.replace(/\r\n/g, '')).not.toMatch(/[\r\n]/);
      expect(out.indexOf('\r\n.\r\n') === -1 ? out : out.slice(0, out.indexOf('\r\n.\r\n') + 5)).toBe(out);
      expect(out.endsWith('.\r\n')).toBe(true);
    }),
  );
});

test('a body whose last bytes stand in views of their own gets no line end too many', () => {
  const views = (...texts: string[]): Uint8Array[] => texts.map((text) => Buffer.from(text, 'latin1'));
  const sent = (...slices: Uint8Array[][]): string => {
    const body = new OutgoingBody(false, false);
    const out = slices.flatMap((slice) => [...body.pass(slice)]);
    return Buffer.concat([...out, ...body.end()]).toString('latin1');
  };
  expect(sent(views('a\r', '\n'))).toBe('a\r\n.\r\n');
  expect(sent(views('a\r\n', ''))).toBe('a\r\n.\r\n');
  expect(sent(views('a', '\r', '', '\n', ''))).toBe('a\r\n.\r\n');
  expect(sent(views('a\r'), views('', '\n'))).toBe('a\r\n.\r\n');
  expect(sent(views('a\r\n'), views(''))).toBe('a\r\n.\r\n');
  expect(sent(views('\r\n', 'a', '\n'))).toBe('\r\na\n\r\n.\r\n');
});
