import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEnvid, isOrcpt, readNotify } from './dsn-parameters.ts';
import { decodeXtext, encodeXtext } from './xtext.ts';

describe('xtext', () => {
  test('what was encoded is decoded to the same bytes', () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(bytes, (text) => {
        expect(encodeXtext(text)).toMatch(/^[\x21-\x7e]*$/);
        expect(decodeXtext(encodeXtext(text))).toBe(text);
      }),
    );
  });

  test.each(['+', '+4', '+4g', '+4a', 'a=b', 'a b', '\xff', 'a\n'])('%j is none', (text) => {
    expect(decodeXtext(text)).toBeUndefined();
  });
});

test('an envelope id has 100 octets at most, one of none is none, and it ends no line', () => {
  expect([isEnvid('x'.repeat(100)), isEnvid('x'.repeat(101)), isEnvid('')]).toEqual([true, false, false]);
  expect([isEnvid('a+0D'), isEnvid('a+0A'), isEnvid('a+00'), isEnvid('a+7F'), isEnvid('a+20')]).toEqual([
    ...[false, false, false, false],
    true,
  ]);
});

test.each([
  ['rfc822;bob@dest.test', false, true],
  ['rfc822;', false, false],
  [';bob', false, false],
  ['rfc 822;bob', false, false],
  [`rfc822;${'x'.repeat(493)}`, false, true],
  [`rfc822;${'x'.repeat(494)}`, false, false],
  ['rfc822;b\xc3\xbc', true, false],
  ['utf-8;b\xc3\xbc', false, false],
  ['utf-8;b\xc3\xbc', true, true],
  ['utf-8;b\\x{FC}', false, true],
  ['utf-8;b\\x{0A}Evil:', false, false],
  ['utf-8;b\\x{000d}', false, false],
])('ORCPT=%s with SMTPUTF8 %s: %s', (value, utf8, fine) => {
  expect(isOrcpt(value, utf8)).toBe(fine);
});

test.each([
  ['NEVER', []],
  ['success,FAILURE', ['SUCCESS', 'FAILURE']],
  ['NEVER,NEVER', undefined],
  ['DELAY,NEVER', undefined],
  ['DELAY,DELAY', undefined],
  ['DELAY,', undefined],
  ['ALWAYS', undefined],
])('NOTIFY=%s', (value, expected) => {
  expect(readNotify(value)).toEqual(expected);
});
