import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slices } from '../world/index.ts';
import { RefusedRequest } from './answer.ts';
import { parseJson as parse } from './body.ts';
import { DEEPEST, JsonShape, MOST_VALUES } from './json-shape.ts';

const parseJson = (bytes: Buffer): Promise<unknown> => parse(bytes, new Slices(undefined));

/** Objects and arrays in each other. */
const depth = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depth));

test('every JSON value comes out as it was, as long as it is not too deep', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 2 * DEEPEST }), async (value, wraps) => {
      let wrapped: unknown = value;
      for (let n = 0; n < wraps; n++) wrapped = n % 2 === 0 ? [wrapped] : { 'a"[\\': wrapped };
      const bytes = Buffer.from(JSON.stringify(wrapped, undefined, wraps % 3));
      if (depth(wrapped) <= DEEPEST) expect(await parseJson(bytes)).toEqual(JSON.parse(bytes.toString()));
      else await expect(parseJson(bytes)).rejects.toThrow(RefusedRequest);
    }),
  );
});

test('bytes of any kind are a value, or refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string().map((text) => Buffer.from(`{"a":"${text}`)),
      ),
      async (bytes) => {
        try {
          await parseJson(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RefusedRequest);
        }
      },
    ),
  );
});

test('what is wrong is told with its place, and without the text around it', async () => {
  const why = async (text: string): Promise<string> => {
    try {
      await parseJson(Buffer.from(text));
      return 'nothing';
    } catch (error) {
      return error instanceof RefusedRequest ? error.message : String(error);
    }
  };
  expect(await why('{"password":"secret" x}')).toMatch(/^the body is not JSON: it goes wrong at position 21/);
  expect(await why('{"a":')).toBe('the body is not JSON: it is cut off, or has something behind its end');
});

/** The plain way: byte by byte, without pieces. */
function plainly(text: string): { deepest: number; values: number } {
  let [depth, deepest, values, inside] = [0, 0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (inside) {
      if (sign === '\\') at++;
      else if (sign === '"') inside = false;
    } else if (sign === '"') inside = true;
    else if (sign === ',') values++;
    else if ('[{'.includes(sign)) {
      values++;
      deepest = Math.max(deepest, ++depth);
    } else if (']}'.includes(sign)) depth--;
  }
  return { deepest, values };
}

test('the shape is the same wherever the pieces end: in strings, in escapes, in brackets', () => {
  const part = fc.constantFrom('"', '\\', '\\\\', '\\"', '[', ']', '{', '}', ',', 'x', '"long text"', 'y'.repeat(1000));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), fc.integer({ min: 0, max: 140 }), (parts, before) => {
      const text = `"${'z'.repeat(65_536 - before)}"${parts.join('')}`;
      const shape = new JsonShape(Buffer.from(text));
      while (shape.step());
      expect(shape.trouble !== undefined).toBe(plainly(text).deepest > DEEPEST);
      const deep = new JsonShape(Buffer.from(`${text}${'['.repeat(DEEPEST + 60)}`));
      while (deep.step());
      expect(deep.trouble !== undefined).toBe(plainly(`${text}${'['.repeat(DEEPEST + 60)}`).deepest > DEEPEST);
    }),
  );
});

test('ten million values are read, one more is not', () => {
  const shape = (count: number): string | undefined => {
    const looked = new JsonShape(Buffer.from(`[${'0,'.repeat(count - 1)}0]`));
    while (looked.step());
    return looked.trouble;
  };
  expect([shape(MOST_VALUES), shape(MOST_VALUES + 1)]).toEqual([undefined, `more than ${MOST_VALUES} values`]);
});
