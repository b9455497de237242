import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checked, MAIN } from '../../../test/support/configuration.ts';
import { ConfigError } from '../index.ts';
import { parse } from './grammar.ts';
import { LIMITS } from './items.ts';

const SAMPLES = ['impetus.conf', 'relay.conf', 'bulk-sender/impetus.conf', 'bulk-sender/listeners.conf'].map((name) =>
  readFileSync(fileURLToPath(new URL(`../../../etc/${name}`, import.meta.url)), 'utf8'),
);

/** A hang ends at the time limit of the test; how fast reading is, bench/config.ts tells. */
const SOON = { timeout: 60_000 };

function errorsOf(text: string): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  parse(text, 'f', errors);
  return errors;
}

describe('text that is made to hang or to break', () => {
  test.each([
    ['quoted names that open blocks, on one line', '"x" {'.repeat(100_000)],
    ['a quote on each line and no end of any', `a = "\n${'\\"\n'.repeat(200_000)}`],
    ['raw texts without end', "a = '\n".repeat(200_000)],
    ['arrays inside each other', 'a = ( '.repeat(200_000)],
    ['arrays that break off', 'a = ( b\n'.repeat(200_000)],
    ['dictionaries inside each other', 'a [ b = [ c\n'.repeat(100_000)],
    ['arrays in dictionaries that break off at a block', 'a [ b = ( {'.repeat(100_000)],
    ['blocks that nobody opened', '} '.repeat(200_000)],
    ['comments inside each other', '/* a\n'.repeat(200_000)],
    ['NUL characters', '\0 a'.repeat(200_000)],
    ['backslashes', `a = "${'\\'.repeat(1_000_000)}`],
    ['one word of a million letters in each place', `${'x'.repeat(1_000_000)} ${'y'.repeat(1_000_000)}`],
  ])('%s', SOON, (_, text) => {
    const errors = errorsOf(text);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(LIMITS.errors + 1);
  });
});

describe('size', () => {
  test('more items than the limit end with one error, and soon', SOON, () => {
    const errors = errorsOf('a = 1\n'.repeat(LIMITS.items + 5));
    expect(errors.map((error) => error.message)).toEqual(['more than 2000000 items in all files together']);
  });

  test('a text of 64 MiB is read', SOON, () => {
    const errors = errorsOf(`a = "${'x'.repeat(LIMITS.fileBytes - 7)}"\n`);
    expect(errors).toEqual([]);
  });

  test('three hundred thousand unknown names are not all searched for a name like them', {
    timeout: 60_000,
  }, async () => {
    const text = Array.from({ length: 300_000 }, (_, index) => `no_such_${index} = 1\n`).join('');
    const result = await checked(text);
    expect(result.errors).toHaveLength(LIMITS.errors + 1);
    expect(result.errors.at(-1)?.checkLine).toBe(
      `${MAIN}:10001:1: error: more than 10000 errors: the others are not shown`,
    );
  });

  test('what is not implemented is told ten thousand times at most', async () => {
    const { notices } = await checked('TLS = required\n'.repeat(LIMITS.errors + 500));
    const lines = new Set(notices.map((notice) => notice.line));
    expect(lines.size).toBe(notices.length);
    expect(notices.length).toBeLessThanOrEqual(2 * LIMITS.errors + 2);
    expect([...lines].filter((line) => line.includes('the others are not shown'))).toHaveLength(1);
  });
});

test('a pedantic check of a configuration that a program wrote ends soon', { timeout: 60_000 }, async () => {
  const each = (count: number, text: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => text(index)).join('\n');
  const text = [
    'ESMTP_Listener {',
    each(
      60_000,
      (index) =>
        `Peer "10.${index >> 16}.${(index >> 8) & 255}.${index & 255}" { Idle_Time = 5 Listener_Sessions = 3 }`,
    ),
    each(
      50,
      (index) =>
        `Listen ":${index + 1000}" { Peer "0.0.0.0/0" { Idle_Time = 1 } SMTP_Extensions = ( "AUTH LOGIN" XCLIENT ) }`,
    ),
    '}',
    each(
      20_000,
      (index) => `Domain "/^d${index}[.]test$/" { Max_Retries = 3 }\nDomain "d${index}.test" { Max_Retries = 4 }`,
    ),
  ].join('\n');
  const result = await checked(text);
  expect(result.errors).toEqual([]);
  expect(result.warnings.length).toBeGreaterThan(50);
});

const SPARE = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '=',
  '"',
  "'",
  '#',
  '/*',
  '*/',
  ';',
  ',',
  '\0',
  '\n',
  'include "impetus.conf"',
  'TLS',
  '\ud800',
  '/a(/',
];
const mutated = fc
  .tuple(
    fc.constantFrom(...SAMPLES),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        gone: fc.nat(30),
        put: fc.oneof(fc.constantFrom(...SPARE), fc.string({ maxLength: 6 })),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([sample, changes]) =>
    changes.reduce((text, { at, gone, put }) => {
      const from = Math.floor(at * text.length);
      return text.slice(0, from) + put + text.slice(from + gone);
    }, sample),
  );

test('a real configuration, spoilt anywhere, is valid or has errors with places inside it, none of them twice', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (text) => {
      const result = await checked(text);
      const lines = text.split('\n');
      for (const error of result.errors) {
        expect(error).toBeInstanceOf(ConfigError);
        const { place } = error;
        expect(place?.file).toBe(MAIN);
        expect(place?.line).toBeGreaterThanOrEqual(1);
        expect(place?.line).toBeLessThanOrEqual(lines.length);
        expect(place?.column).toBeLessThanOrEqual((lines[(place?.line ?? 1) - 1]?.length ?? 0) + 1);
        expect(error.message).not.toBe('');
      }
      const told = result.errors.map((error) => error.checkLine);
      expect(new Set(told).size).toBe(told.length);
      expect(result.outcome).toBe(told.length === 0 ? 'valid' : 'invalid');
    }),
    { numRuns: 400 },
  );
});
