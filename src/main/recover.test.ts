import { expect, test } from 'vitest';
import { MailRoom } from '../../test/support/mail-room.ts';
import type { SpoolAddress } from '../message/index.ts';
import type { Recovered } from '../spool/index.ts';
import { SimClock } from '../world/sim/clock.ts';
import { RECOVERED_AT_ONCE, recover } from './recover.ts';

const MESSAGE: Recovered = {
  at: 1 as SpoolAddress,
  envelope: new MailRoom().receive('a@dst.test'),
  traits: { dots: false, lone: false },
  done: [],
  state: undefined,
};

/** As many as a segment gives at once. */
async function* segment(messages: number, fails = false): AsyncGenerator<readonly Recovered[]> {
  for (let left = messages; left > 0; left -= 1000) yield Array.from({ length: Math.min(left, 1000) }, () => MESSAGE);
  if (fails) throw new Error('the disk is gone');
}

function recovering(messages: number, fails = false) {
  const clock = new SimClock();
  const said: string[] = [];
  const state = { back: 0, over: false, known: false, stopping: false, turns: [] as number[] };
  void recover({
    clock: {
      defer: (run) => {
        state.turns.push(state.back);
        clock.defer(run);
      },
    },
    spool: { recover: () => segment(messages, fails) },
    queues: {
      readmit: () => {
        state.back++;
      },
    },
    events: { diagnose: (level, _module, text) => void said.push(`${level} ${text}`) },
    stopping: () => state.stopping,
    dedup: {
      remember: () => undefined,
      recovered: () => {
        state.known = true;
      },
    },
  }).then(() => {
    state.over = true;
  });
  return { clock, said, state };
}

test('what comes back from the spool lets others have their turn', async () => {
  const { clock, said, state } = recovering(10_000);
  await clock.advance(10);
  expect(said).toEqual(['NOTICE 10000 messages came back from the spool']);
  const turns = state.turns.map((back, turn) => back - (state.turns[turn - 1] ?? 0));
  expect(turns).toHaveLength(10_000 / RECOVERED_AT_ONCE);
  expect(Math.max(...turns)).toBe(RECOVERED_AT_ONCE);
});

test('an empty spool is not worth a word, and one that cannot be read is', async () => {
  const nothing = recovering(0);
  await nothing.clock.advance(10);
  expect(nothing).toMatchObject({ said: [], state: { over: true } });
  const broken = recovering(2, true);
  await broken.clock.advance(10);
  expect(broken.said).toEqual(['CRITICAL reading the spool failed after 2 messages: the disk is gone']);
  expect([nothing.state.known, broken.state.known]).toEqual([true, true]);
});

test('a server that ends does not wait for what is still on disk', async () => {
  const { clock, state } = recovering(10_000);
  clock.defer(() => {
    state.stopping = true;
  });
  await clock.advance(10);
  expect(state.over).toBe(true);
  expect(state.back).toBeLessThanOrEqual(1000);
  // Whoever asks whether a message was taken already is told nothing, rather than that it was not.
  expect(state.known).toBe(false);
});
