import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RefusedRequest } from './answer.ts';
import { DEEPEST, parseJson } from './body.ts';

/** Objects and arrays in each other. */
const depth = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depth));

test('every JSON value comes out as it was, as long as it is not too deep', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 2 * DEEPEST }), (value, wraps) => {
      let wrapped: unknown = value;
      for (let n = 0; n < wraps; n++) wrapped = n % 2 === 0 ? [wrapped] : { 'a"[\\': wrapped };
      const bytes = Buffer.from(JSON.stringify(wrapped, undefined, wraps % 3));
      if (depth(wrapped) <= DEEPEST) expect(parseJson(bytes)).toEqual(JSON.parse(bytes.toString()));
      else expect(() => parseJson(bytes)).toThrow(RefusedRequest);
    }),
  );
});

test('bytes of any kind are a value, or refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string().map((text) => Buffer.from(`{"a":"${text}`)),
      ),
      (bytes) => {
        try {
          parseJson(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RefusedRequest);
        }
      },
    ),
  );
});

test('what is wrong is told with its place, and without the text around it', () => {
  const why = (text: string): string => {
    try {
      parseJson(Buffer.from(text));
      return 'nothing';
    } catch (error) {
      return error instanceof RefusedRequest ? error.message : String(error);
    }
  };
  expect(why('{"password":"secret" x}')).toMatch(/^the body is not JSON: it goes wrong at position 21/);
  expect(why('{"a":')).toBe('the body is not JSON: it is cut off, or has something behind its end');
});
