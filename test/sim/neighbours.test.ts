import { expect, test } from 'vitest';
import { seconds } from '../../src/base/index.ts';
import { MailRoom } from '../support/mail-room.ts';

const BURDEN = 100_000;
const MESSAGES = 2_000;

/** @returns simulated milliseconds until a healthy domain has all of its mail */
async function timeOf(burden: 'none' | 'dead' | 'slow'): Promise<number> {
  const room = new MailRoom({ global: { connect_timeout: seconds(30), max_outbound_connections: 8 } });
  if (burden === 'dead') {
    room.mx('burden.test', [[10, 'mx.burden.test', '192.0.2.66']]);
    room.network.silence('192.0.2.66:25');
  }
  // Takes each recipient, and never answers the dot.
  if (burden === 'slow') await room.peer('burden.test', '192.0.2.66', { dot: () => undefined });
  if (burden !== 'none') for (let i = 0; i < BURDEN; i++) room.receive(`b${i}@burden.test`, 'x\r\n');
  const healthy = await room.peer('healthy.test', '192.0.2.1');
  await room.later(1);
  const began = room.clock.now();
  for (let i = 0; i < MESSAGES; i++) room.receive(`h${i}@healthy.test`, 'x\r\n');
  while (healthy.taken.length < MESSAGES) {
    await room.clock.advance(10);
    if (room.clock.now() - began > 600_000) throw new Error(`only ${healthy.taken.length} of ${MESSAGES} came through`);
  }
  const took = room.clock.now() - began;
  expect(room.balance).toBe(0);
  return took;
}

test('a dead or a slow domain with 100,000 messages slows no other by more than 5 %', async () => {
  const alone = await timeOf('none');
  expect(await timeOf('dead')).toBeLessThanOrEqual(alone * 1.05);
  expect(await timeOf('slow')).toBeLessThanOrEqual(alone * 1.05);
}, 60_000);
