import { describe, expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { askQuickly, errorOf, jsonOf } from '../support/http-room.ts';
import { House, type Results } from '../support/transmission-house.ts';

const HOUR = 3_600_000;
const content = { from: 'news@shop.test', subject: 'Hi', text: 'Hello.\n' };
const recipients = (count: number) => Array.from({ length: count }, (_, n) => ({ address: `r${n}@x.test` }));

/** The moment in so many milliseconds, as start_time takes it. */
const inTime = (house: House, millis: number): string => new Date(house.world.clock.date() + millis).toISOString();

interface Transmission {
  readonly state: string;
  readonly num_generated: number;
  readonly num_failed_gen: number;
  readonly description?: string;
}

async function shown(house: House, id: string): Promise<Transmission> {
  const answer = await house.ask(`GET /api/v1/transmissions/${id}`);
  return jsonOf<{ results: { transmission: Transmission } }>(answer).results.transmission;
}

async function scheduled(house: House, millis: number, count: number, more: object = {}): Promise<string> {
  const { results } = await house.send({
    recipients: recipients(count),
    content,
    options: { start_time: inTime(house, millis) },
    ...more,
  });
  await house.world.clock.advance(5000);
  return results.id;
}

async function cutPower(house: House): Promise<void> {
  house.world = afterPowerCut(house.world);
  await house.inbox.open(house.world);
  await house.begin();
}

const stop = (house: House): Promise<void> => house.world.clock.until(house.server.close(1000));

test.each([1, 3])('%i messages are made at once, wait for their time, and are of that time', async (count) => {
  const house = await House.open();
  const at = house.world.clock.date() + 10 * 24 * HOUR;
  const id = await scheduled(house, 10 * 24 * HOUR, count, { description: 'spring' });
  expect(house.of('reception')).toHaveLength(count);
  expect(await shown(house, id)).toMatchObject({ state: 'submitted', num_generated: count, description: 'spring' });
  await house.world.clock.advance(10 * 24 * HOUR - 20_000);
  expect(house.inbox.mails).toHaveLength(0);
  expect(await shown(house, id)).toMatchObject({ state: 'submitted' });
  await house.world.clock.advance(60_000);
  expect(new Set(house.inbox.mails.map(({ to }) => to)).size).toBe(count);
  expect(await shown(house, id)).toMatchObject({ state: 'Success', num_generated: count });
  const date = /\r\nDate: (.*)\r\n/.exec(house.inbox.mails[0]?.text ?? '')?.[1] ?? '';
  expect(Math.abs(Date.parse(date) - at)).toBeLessThan(2000);
  await stop(house);
  expect(house.server.ledger.difference).toBe(0);
});

test.each([0, 3, 200])('a power cut %i ms after the answer changes nothing', async (after) => {
  const house = await House.open();
  const body = { recipients: recipients(40), content, options: { start_time: inTime(house, HOUR / 10) } };
  const { results } = jsonOf<Results>(
    await askQuickly(house.world, 'POST /api/v1/transmissions', JSON.stringify(body)),
  );
  await house.world.clock.advance(after);
  await cutPower(house);
  await house.world.clock.advance(HOUR / 20);
  expect(house.inbox.mails).toEqual([]);
  expect(await shown(house, results.id)).toMatchObject({ state: 'submitted', num_generated: 40 });
  await house.world.clock.advance(HOUR / 10);
  const ids = new Set(house.inbox.mails.map(({ text }) => /Message-ID: (.*)\r\n/.exec(text)?.[1]));
  expect([ids.size, house.inbox.mails.length]).toEqual([40, 40]);
  expect(await shown(house, results.id)).toMatchObject({ state: 'Success' });
});

test('the time that a message may be in the queue begins when it is due', async () => {
  const house = await House.open();
  await scheduled(house, 20 * 24 * HOUR, 2);
  await house.world.clock.advance(15 * 24 * HOUR);
  expect(house.inbox.mails).toEqual([]);
  expect(house.of('permanent')).toEqual([]);
  await house.world.clock.advance(6 * 24 * HOUR);
  expect(house.inbox.mails).toHaveLength(2);
});

test('a time that is past is now, and one that no calendar has or that lies too far ahead is refused', async () => {
  const house = await House.open();
  const body = (start: string) => ({ recipients: recipients(1), content, options: { start_time: start } });
  for (const start of ['now', '2001-01-01T00:00:00Z', inTime(house, -1)]) await house.send(body(start));
  expect(house.of('reception')).toHaveLength(3);
  const wrong = [
    inTime(house, 366 * 24 * HOUR),
    '2001-02-29T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-01-01T00:00:00',
    'tomorrow',
    '',
  ];
  for (const start of wrong) expect([start, await house.refused(body(start))]).toEqual([start, '422/1300']);
});

describe('cancelling', () => {
  test('ends every message with a failure that says so; nobody gets anything, and nobody is told twice', async () => {
    const house = await House.open();
    const id = await scheduled(house, HOUR, 700);
    const other = await scheduled(house, HOUR, 2);
    expect((await house.ask(`DELETE /api/v1/transmissions/${id}`)).status).toBe(204);
    await house.world.clock.advance(1000);
    expect(house.of('permanent')).toHaveLength(700);
    expect(house.of('permanent')[0]).toMatchObject({
      reply: { code: 554, enhanced: '5.7.1', text: '[internal] Campaign cancelled' },
    });
    expect(await shown(house, id)).toMatchObject({ state: 'Canceled' });
    expect(errorOf(await house.ask(`DELETE /api/v1/transmissions/${id}`))).toMatchObject({ status: 409, code: '2006' });
    await house.world.clock.advance(2 * HOUR);
    // No bounces either: whoever cancels knows.
    expect(house.inbox.mails.map(({ to }) => to).sort()).toEqual(['r0@x.test', 'r1@x.test']);
    expect(await shown(house, other)).toMatchObject({ state: 'Success' });
    await stop(house);
    expect(house.server.ledger.difference).toBe(0);
  });

  test('is too late within scheduled_interval_delete, after the start, and for what was never scheduled', async () => {
    const house = await House.open();
    const id = await scheduled(house, HOUR, 2);
    await house.world.clock.advance(HOUR - 590_000);
    const call = `DELETE /api/v1/transmissions/${id}`;
    expect(errorOf(await house.ask(call))).toMatchObject({ status: 409, code: '2003' });
    await house.world.clock.advance(HOUR);
    expect(errorOf(await house.ask(call))).toMatchObject({ status: 409, code: '2006' });
    const { results } = await house.send({ recipients: recipients(2), content });
    expect(errorOf(await house.ask(`DELETE /api/v1/transmissions/${results.id}`))).toMatchObject({ code: '2006' });
    expect(errorOf(await house.ask('DELETE /api/v1/transmissions/1'))).toMatchObject({ status: 404, code: '1600' });
  });

  test.each([0, 1, 5, 50])(
    'holds over a power cut %i ms after the answer, also when the time has come meanwhile',
    async (after) => {
      const house = await House.open();
      const id = await scheduled(house, HOUR, 700);
      expect((await askQuickly(house.world, `DELETE /api/v1/transmissions/${id}`)).status).toBe(204);
      await house.world.clock.advance(after);
      const down = afterPowerCut(house.world);
      await down.clock.advance(2 * HOUR);
      house.world = down;
      house.inbox.mails.length = 0;
      await house.inbox.open(house.world);
      await house.begin();
      await house.world.clock.advance(HOUR);
      expect(house.inbox.mails).toEqual([]);
      expect(house.server.ledger.difference).toBe(0);
      expect(await shown(house, id)).toMatchObject({ state: 'Canceled' });
    },
  );

  test('while messages are still being made: those that are not yet are never made', async () => {
    const house = await House.open();
    const sent = house.send({ recipients: recipients(500), content, options: { start_time: inTime(house, HOUR) } });
    house.world.keyValues.broken = true;
    const { results } = await sent;
    house.world.keyValues.broken = false;
    // The workshop waits a second before it looks again.
    await house.world.clock.advance(4600);
    const answer = await house.ask(`DELETE /api/v1/transmissions/${results.id}`);
    expect([204, 503]).toContain(answer.status);
    if (answer.status === 503) {
      await house.world.clock.advance(1000);
      expect((await house.ask(`DELETE /api/v1/transmissions/${results.id}`)).status).toBe(204);
    }
    await house.world.clock.advance(2 * HOUR);
    expect(house.inbox.mails).toEqual([]);
    expect(house.of('permanent').length + house.of('generation').length).toBe(500);
    expect(house.server.ledger.difference).toBe(0);
  });

  test('a campaign ends all of it that waits, and nothing else', async () => {
    const house = await House.open();
    const one = await scheduled(house, HOUR, 2, { campaign_id: 'c' });
    const two = await scheduled(house, 60_000, 1, { campaign_id: 'c' });
    const other = await scheduled(house, HOUR, 1, { campaign_id: 'd' });
    expect((await house.ask('DELETE /api/v1/transmissions?campaign_id=c')).status).toBe(204);
    await house.world.clock.advance(100);
    expect(house.of('permanent')).toHaveLength(3);
    const states = await Promise.resolve([one, two, other]).then(async (ids) => {
      const all: string[] = [];
      for (const id of ids) all.push((await shown(house, id)).state);
      return all;
    });
    expect(states).toEqual(['Canceled', 'Canceled', 'submitted']);
    expect((await house.ask('DELETE /api/v1/transmissions')).status).toBe(400);
    await house.world.clock.advance(2 * HOUR);
    expect(house.inbox.mails).toHaveLength(1);
  });

  test('is refused while it cannot be written down, and the transmission goes out', async () => {
    const house = await House.open();
    const id = await scheduled(house, HOUR, 2);
    house.world.keyValues.broken = true;
    expect(errorOf(await house.ask(`DELETE /api/v1/transmissions/${id}`))).toMatchObject({ status: 503, code: '1502' });
    house.world.keyValues.broken = false;
    await house.world.clock.advance(2 * HOUR);
    expect(house.inbox.mails).toHaveLength(2);
  });

  test('holds for what came back into the queues while the store could not be read', async () => {
    const house = await House.open();
    const id = await scheduled(house, HOUR, 50);
    expect((await askQuickly(house.world, `DELETE /api/v1/transmissions/${id}`)).status).toBe(204);
    house.world = afterPowerCut(house.world);
    house.world.keyValues.broken = true;
    await house.inbox.open(house.world);
    await house.begin();
    await house.world.clock.advance(10_000);
    house.world.keyValues.broken = false;
    await house.world.clock.advance(2 * HOUR);
    expect(house.inbox.mails).toHaveLength(0);
    expect(await shown(house, id)).toMatchObject({ state: 'Canceled' });
    await stop(house);
    expect(house.server.ledger.difference).toBe(0);
  });
});
