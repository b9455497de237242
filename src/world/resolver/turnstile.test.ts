import { expect, test } from 'vitest';
import { SimClock } from '../sim/index.ts';
import { type Pass, Turnstile } from './turnstile.ts';

test('so many are inside at a time, in the order they came', async () => {
  const clock = new SimClock();
  const turnstile = new Turnstile(clock, 2, 2);
  const log: string[] = [];
  const passes: Pass[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    void turnstile.enter().then((pass) => {
      log.push(`${name} ${pass !== undefined}`);
      if (pass) passes.push(pass);
    });
  }
  await clock.settle();
  expect(log).toEqual(['a true', 'b true', 'e false']);
  for (const pass of passes.splice(0)) {
    pass[Symbol.dispose]();
    pass[Symbol.dispose]();
  }
  await clock.settle();
  expect(log.slice(3)).toEqual(['c true', 'd true']);
});

test('no more than a buffer holds are new; answers and age make room', async () => {
  const clock = new SimClock();
  const turnstile = new Turnstile(clock, 10_000, 10_000);
  const passes: Pass[] = [];
  for (let count = 0; count < 500; count++) void turnstile.enter().then((pass) => pass && passes.push(pass));
  await clock.advance(10);
  expect(passes).toHaveLength(150);
  for (const pass of passes.slice(0, 30)) pass[Symbol.dispose]();
  await clock.settle();
  expect(passes).toHaveLength(180);
  await clock.advance(40);
  expect(passes).toHaveLength(300);
  await clock.idle();
  expect(passes).toHaveLength(500);
  for (const pass of passes) pass[Symbol.dispose]();
  expect(await turnstile.enter()).toBeDefined();
});

test('who waits when it closes is turned away', async () => {
  const clock = new SimClock();
  const turnstile = new Turnstile(clock, 1000, 1000);
  const all = Promise.all(Array.from({ length: 151 }, () => turnstile.enter()));
  await clock.settle();
  turnstile.close();
  expect((await all).filter((pass) => pass === undefined)).toHaveLength(1);
  expect(clock.pending).toBe(0);
});
