import { expect, test } from 'vitest';
import { Scratch } from '../end-to-end/harness.ts';
import { planOf } from './plan.ts';
import { core, points } from './points.ts';
import { crashes } from './run.ts';

/** Enough for every point of the core, and some at any moment. `npm run crash` goes on from there. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 20);
const LONG = { timeout: 20_000 + ROUNDS * 5000 };

test(
  `${ROUNDS} times kill -9 under load, at named points and at any moment: nothing acknowledged is lost`,
  LONG,
  async () => {
    using scratch = new Scratch();
    const { report, faults, replays } = await crashes(scratch, { seed: 1, first: 1, rounds: ROUNDS, every: 10 });
    expect([...faults, ...(faults.length > 0 ? ['replay one of these:', ...replays] : [])]).toEqual([]);
    expect(report.judged).toBeGreaterThan(ROUNDS * 10);
  },
);

test('every point comes by before one comes again, those of the core first', () => {
  const seen = new Set<string>();
  const first: string[] = [];
  for (let round = 1; seen.size < points.length; round++) {
    const plan = planOf(3, round);
    if (plan.kind === 'moment') continue;
    expect(seen).not.toContain(plan.point);
    seen.add(plan.point);
    if (first.length < core.length) first.push(plan.point);
  }
  expect(first).toEqual(core);
  expect(planOf(3, 7)).toEqual(planOf(3, 7));
});

/** What comes back after a lie never empties the queues: nobody waits for that. */
const FEW = { seed: 2, first: 1, rounds: 3, every: 3, drainMillis: 3000 };

test('a disk that says written and has not: the losses are seen', LONG, async () => {
  using scratch = new Scratch();
  const { report, faults } = await crashes(scratch, { ...FEW, lie: 'reception' });
  expect(report.lost).toBeGreaterThan(0);
  expect(faults.filter((fault) => fault.startsWith('lost: '))).toHaveLength(report.lost);
});

test('a disk that forgets what is done: deliveries that have no excuse are seen', LONG, async () => {
  using scratch = new Scratch();
  const { faults } = await crashes(scratch, { ...FEW, lie: 'done' });
  expect(faults.filter((fault) => fault.includes('was on disk')).length).toBeGreaterThan(0);
});
