import { expect, test } from 'vitest';
import { Cap, Grant, type Waiter } from './cap.ts';

/** Somebody with connections under caps, who notes what he is told. */
function somebody(name: string, told: string[]) {
  const offers: Cap[] = [];
  const waiter: Waiter & { starving: boolean } = {
    starving: true,
    offered(cap) {
      told.push(`${name} offered`);
      offers.push(cap);
    },
  };
  return {
    waiter,
    connect(...caps: Cap[]) {
      const grant = new Grant(waiter, caps);
      return { grant, rest: () => grant.rest(() => told.push(`${name} recalled`)) };
    },
    wait(cap: Cap, limit: number, starving = true) {
      waiter.starving = starving;
      cap.wait(waiter, limit);
    },
    passOn() {
      for (const cap of offers.splice(0)) cap.offer();
    },
  };
}

test('a grant counts under every cap, and is given back once', () => {
  const [one, two] = [new Cap(), new Cap()];
  const { grant } = somebody('a', []).connect(one, two);
  expect([one.open, two.open]).toEqual([1, 1]);
  grant[Symbol.dispose]();
  grant[Symbol.dispose]();
  expect([one.open, two.open]).toEqual([0, 0]);
});

test('a place that was given back is offered to one waiter, who passes on what he does not use', () => {
  const told: string[] = [];
  const cap = new Cap();
  const { grant } = somebody('holder', told).connect(cap);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => somebody(name, told));
  for (const who of [a, b, c]) who?.wait(cap, 1);
  grant[Symbol.dispose]();
  expect(told).toEqual(['a offered']);
  a?.passOn();
  expect(told).toEqual(['a offered', 'b offered']);
  const taken = b?.connect(cap);
  b?.passOn();
  expect(told.length).toBe(2);
  taken?.grant[Symbol.dispose]();
  expect(told.at(-1)).toBe('c offered');
});

test('who has no connection at all comes before who wants one more', () => {
  const told: string[] = [];
  const cap = new Cap();
  const { grant } = somebody('holder', told).connect(cap);
  somebody('rich', told).wait(cap, 1, false);
  somebody('poor', told).wait(cap, 1, true);
  grant[Symbol.dispose]();
  expect(told).toEqual(['poor offered']);
});

test('nobody is offered a place that is none: a limit may have been lowered meanwhile', () => {
  const told: string[] = [];
  const cap = new Cap();
  const holder = somebody('holder', told);
  const [first] = [holder.connect(cap), holder.connect(cap), holder.connect(cap)];
  somebody('a', told).wait(cap, 2);
  first.grant[Symbol.dispose]();
  expect(told).toEqual([]);
});

test('who has forgotten is offered nothing', () => {
  const told: string[] = [];
  const cap = new Cap();
  const { grant } = somebody('holder', told).connect(cap);
  const a = somebody('a', told);
  a.wait(cap, 1);
  somebody('b', told).wait(cap, 1);
  cap.forget(a.waiter);
  grant[Symbol.dispose]();
  expect(told).toEqual(['b offered']);
});

test('a resting connection is recalled for a waiter, one for each, and not for its own pair', () => {
  const told: string[] = [];
  const cap = new Cap();
  const holder = somebody('holder', told);
  for (const connection of [holder.connect(cap), holder.connect(cap)]) connection.rest();
  holder.wait(cap, 2, false);
  expect(told).toEqual([]);
  cap.forget(holder.waiter);
  const a = somebody('a', told);
  a.wait(cap, 2);
  a.wait(cap, 2);
  expect(told).toEqual(['holder recalled']);
  somebody('b', told).wait(cap, 2);
  expect(told).toEqual(['holder recalled', 'holder recalled']);
});

test('a connection that comes to rest while somebody waits is recalled at once', () => {
  const told: string[] = [];
  const cap = new Cap();
  const { rest, grant } = somebody('holder', told).connect(cap);
  somebody('a', told).wait(cap, 1);
  expect(grant.wanted).toBe(true);
  rest();
  expect([told, grant.wanted]).toEqual([['holder recalled'], false]);
});

test('a connection at work is wanted only by who has none, and only until one is on its way out', () => {
  const told: string[] = [];
  const cap = new Cap();
  const holder = somebody('holder', told);
  const [one, two] = [holder.connect(cap), holder.connect(cap)];
  somebody('rich', told).wait(cap, 2, false);
  expect(one.grant.wanted).toBe(false);
  somebody('poor', told).wait(cap, 2, true);
  expect([one.grant.wanted, two.grant.wanted]).toEqual([true, true]);
  one.grant.leave();
  expect([one.grant.wanted, two.grant.wanted]).toEqual([false, false]);
});

test('one that works again is not recalled', () => {
  const told: string[] = [];
  const cap = new Cap();
  const { rest, grant } = somebody('holder', told).connect(cap);
  rest();
  grant.work();
  somebody('a', told).wait(cap, 1);
  expect(told).toEqual([]);
});

test('a cap says when nobody needs it any more', () => {
  const told: string[] = [];
  const cap = new Cap(() => told.push('unused'));
  const holder = somebody('holder', told);
  const [one, two] = [holder.connect(cap), holder.connect(cap)];
  const a = somebody('a', told);
  a.wait(cap, 0);
  one.grant[Symbol.dispose]();
  two.grant[Symbol.dispose]();
  expect(told).toEqual([]);
  cap.forget(a.waiter);
  expect(told).toEqual(['unused']);
});
