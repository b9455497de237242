import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PathRules, parsePathArgument, STRICT_PATHS } from './path.ts';

const parse = (text: string, rules: Partial<PathRules> = {}, nullPath = true): string | undefined =>
  parsePathArgument(text, 0, nullPath, { ...STRICT_PATHS, ...rules })?.path;

test.each([
  ['<a@b>', 'a@b'],
  ['<>', ''],
  ['<Fred.Foo+x=y@Example.COM>', 'Fred.Foo+x=y@Example.COM'],
  ['<"a b>@c\\""@example.com>', '"a b>@c\\""@example.com'],
  ['<""@example.com>', '""@example.com'],
  ['<@one.example,@two.example:joe@three.example>', 'joe@three.example'],
  ['<a@[192.0.2.1]>', 'a@[192.0.2.1]'],
  ['<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]'],
  ['<a@b_c.example>', 'a@b_c.example'],
  ['<PostMaster>', 'PostMaster'],
  ["<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b"],
])('%s is the path %s', (text, path) => {
  expect(parse(text)).toBe(path);
});

test.each([
  'a@b',
  '<a@b',
  '<a@b>x',
  '<a b@c>',
  '<a@>',
  '<@b>',
  '<a..b@c>',
  '<.a@c>',
  '<a.@c>',
  '<a@b.>',
  '<a@.b>',
  '<a@b..c>',
  '<a@-b>',
  '<a@b->',
  '<a@b@c>',
  '<fred>',
  '<"a@b>',
  '<"a\\>',
  '<"a"b@c>',
  '<a@[192.0.2.300]>',
  '<a@[x:y]>',
  '<a@[1.2.3.4>',
  '< a@b>',
  '<a@b >',
  ' <a@b>',
  '<a@b> ',
  '<a\r@b>',
  '<a\0@b>',
  '<\xe9@b>',
  '<a@b\xe9>',
  '<@a:>',
  '<@a,b:c@d>',
  '<@a c@d>',
  '',
  '<',
  '<a@b\t>',
])('%j is no path', (text) => {
  expect(parse(text)).toBeUndefined();
});

test('the null path is none where it may not stand', () => {
  expect(parse('<>', {}, false)).toBeUndefined();
});

test('limits: 64 for a local part, 255 for a domain, 256 for a path with its brackets', () => {
  const domain = (length: number): string => `${`${'d'.repeat(60)}.`.repeat(5).slice(0, length - 1)}x`;
  expect(parse(`<${'l'.repeat(64)}@b>`)).toBeDefined();
  expect(parse(`<${'l'.repeat(65)}@b>`)).toBeUndefined();
  expect(parse(`<l@${domain(252)}>`)).toHaveLength(254);
  expect(parse(`<l@${domain(253)}>`)).toBeUndefined();
});

test('blanks beside the brackets are ignored when allowed', () => {
  for (const text of [' <a@b>', '< a@b>', '<a@b >', '  <  a@b  >'])
    expect(parse(text, { blanksAtBrackets: true })).toBe('a@b');
  expect(parse('<a @b>', { blanksAtBrackets: true })).toBeUndefined();
  expect(parse('<  >', { blanksAtBrackets: true })).toBe('');
});

test('blanks at the end are ignored when allowed', () => {
  expect(parse('<a@b>   ', { blanksAtEnd: true })).toBe('a@b');
  expect(parse('<a@b   ', { blanksAtEnd: true })).toBeUndefined();
});

test('loose rules take dots anywhere in a local part', () => {
  for (const local of ['a..b', 'ab.', '.a', '..']) expect(parse(`<${local}@c>`, { loose: true })).toBe(`${local}@c`);
});

test('a local part alone is an address when a domain will be added', () => {
  expect(parse('<fred>', { unqualified: true })).toBe('fred');
  expect(parse('<"fred f">', { unqualified: true })).toBe('"fred f"');
});

test('parameters follow the path, keys in upper case', () => {
  expect(parsePathArgument('<a@b> SIZE=10 body=8BITMIME FLAG', 0, true, STRICT_PATHS)?.parameters).toEqual([
    { key: 'SIZE', value: '10' },
    { key: 'BODY', value: '8BITMIME' },
    { key: 'FLAG', value: undefined },
  ]);
});

test.each([
  '<a@b>SIZE=1',
  '<a@b>  SIZE=1',
  '<a@b> SIZE=',
  '<a@b> =1',
  '<a@b> -A=1',
  '<a@b> A=1 A=2',
  '<a@b> A=1=2',
  '<a@b> A=\xe9',
])('%j has bad parameters', (text) => {
  expect(parse(text)).toBeUndefined();
});

test('no text makes the parser throw, and a path it gives is part of the text', () => {
  const piece = fc.oneof(
    fc.constantFrom('<', '>', '@', '"', '\\', '.', ',', ':', '[', ']', ' ', 'a', 'b', '-', '_'),
    fc.string(),
  );
  const rules = fc.record({
    blanksAtBrackets: fc.boolean(),
    blanksAtEnd: fc.boolean(),
    loose: fc.boolean(),
    unqualified: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(piece), rules, (pieces, lax) => {
      const text = pieces.join('');
      const path = parse(text, lax);
      expect(path === undefined || text.includes(path)).toBe(true);
      expect(path === undefined || /^[ -~]*$/.test(path)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['<j\xc3\xbcrgen@b\xc3\xbccher.example>', 'j\xc3\xbcrgen@b\xc3\xbccher.example'],
  ['<"j\xc3\xbc r"@example.com>', '"j\xc3\xbc r"@example.com'],
  ['<a@\xe4\xbe\x8b\xe5\xad\x90.test>', 'a@\xe4\xbe\x8b\xe5\xad\x90.test'],
  // An ideographic full stop parts labels as a dot does.
  ['<a@\xe4\xbe\x8b\xe3\x80\x82test>', 'a@\xe4\xbe\x8b\xe3\x80\x82test'],
  ['<j\xfcrgen@example.com>', undefined],
  ['<a@\xff.example>', undefined],
  ['<a@-\xc3\xbc..example>', undefined],
  ['<\xc2\x80@example.com', undefined],
])('with SMTPUTF8 offered %j is the path %j, without it never', (text, path) => {
  expect(parse(text, { utf8: true })).toBe(path);
  expect(parse(text)).toBeUndefined();
});

test('the limits of a path are octets, also of UTF-8', () => {
  const local = '\xc3\xbc'.repeat(32);
  expect(parse(`<${local}@x>`, { utf8: true })).toBe(`${local}@x`);
  expect(parse(`<${local}a@x>`, { utf8: true })).toBeUndefined();
});
