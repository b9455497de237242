import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { bodyValidator } from './validate.ts';

const Sender = Type.Union([
  Type.String(),
  Type.Object({ name: Type.Optional(Type.Union([Type.String(), Type.Null()])), email: Type.String() }),
]);
const Body = Type.Object({
  from: Type.Optional(Sender),
  from_too: Type.Optional(Type.String()),
  kind: Type.Optional(Type.Union([Type.Literal('spring'), Type.Literal('autumn')])),
  list: Type.Optional(Type.Array(Sender)),
  shape: Type.Optional(Type.Union([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })])),
});

function toldOf(body: unknown): readonly string[] {
  const checked = bodyValidator(Body).check(body);
  if (checked.ok) return [];
  return checked.why.errors.map(({ code, description }) => `${code} ${description}`);
}

test('what may have one of several types is told with all of them, in words that need no schema', () => {
  expect(toldOf({ from: 5 })).toEqual(['1300 from must be string or object']);
  expect(toldOf({ from: { email: 'a', name: 5 } })).toEqual(['1300 from.name must be string or null']);
  expect(toldOf({ kind: 'winter' })).toEqual(['1300 kind must be "spring" or "autumn"']);
  expect(toldOf({ kind: 5 })).toEqual(['1300 kind must be "spring" or "autumn"']);
});

test('when the type fits one of them, what is wrong with that one is told', () => {
  expect(toldOf({ from: { email: 5 } })).toEqual(['1300 from.email must be string']);
  expect(toldOf({ from: {} })).toEqual(['1400 from.email is required']);
  expect(toldOf({ from: 5, from_too: 5 })).toContain('1300 from_too must be string');
});

test('of a long array each item that is told is told whole', () => {
  expect(toldOf({ list: Array.from({ length: 100 }, () => 5) })).toEqual([
    '1300 list[0] must be string or object',
    '1300 list[1] must be string or object',
  ]);
  expect(toldOf({ list: [5, { email: 5 }] })).toEqual([
    '1300 list[0] must be string or object',
    '1300 list[1].email must be string',
  ]);
});

test('when it fits several, their wishes would contradict each other, and none is told', () => {
  expect(toldOf({ shape: {} })).toEqual(['1300 shape has none of the forms that it may have']);
});
