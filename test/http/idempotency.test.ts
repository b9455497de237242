import { describe, expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { errorOf, type HttpAnswer, HttpClient, jsonOf, request } from '../support/http-room.ts';
import { House, type Results } from '../support/transmission-house.ts';

const content = { from: 'news@shop.test', subject: 'Hi', text: 'Hello.\n' };
const bodyTo = (count: number): string =>
  JSON.stringify({ recipients: Array.from({ length: count }, (_, n) => ({ address: `r${n}@x.test` })), content });
const HEAD = 'POST /api/v1/transmissions\nIdempotency-Key: k1';
const idOf = (answer: HttpAnswer): string => jsonOf<Results>(answer).results.id;

async function crash(house: House): Promise<void> {
  house.world = afterPowerCut(house.world);
  await house.inbox.open(house.world).catch(() => undefined);
  await house.begin();
}

/** Asks until there is an answer that is no "come again". */
async function insist(house: House, body: string): Promise<HttpAnswer> {
  for (let tries = 0; tries < 20; tries++) {
    const answer = await house.ask(HEAD, body);
    if (answer.status !== 503) return answer;
    await house.world.clock.advance(1000);
  }
  throw new Error('it never had room');
}

/** Sends, and stops in the millisecond in which the store is told of it, of which the store then knows nothing. */
async function diesWhileItIsWritten(house: House, count: number): Promise<HttpAnswer | undefined> {
  const { keyValues } = house.world;
  keyValues.forgetful = true;
  const client = new HttpClient(house.world, undefined);
  client.says(request(HEAD, bodyTo(count)));
  for (let millis = 0; millis < 100; millis++) {
    const [answer] = await client.answers(1);
    if (keyValues.forgotten > 0) return answer;
  }
  throw new Error('the store was told of nothing');
}

test('a request that comes again is answered as before, another one with its key is refused, and refusals are forgotten', async () => {
  const house = await House.open();
  const body = JSON.stringify({ recipients: [{ address: 'a@x.test' }, { address: 'no' }], content });
  expect(errorOf(await house.ask(HEAD, '{"recipients":[],"content":{}}'))).toMatchObject({ status: 400 });
  const first = await house.ask(HEAD, body);
  expect(first.status).toBe(200);
  expect((await house.ask(HEAD, body)).text).toBe(first.text);
  expect(house.of('reception')).toHaveLength(1);
  expect(errorOf(await house.ask(HEAD, bodyTo(1)))).toMatchObject({ status: 409, code: '1602' });
  const other = await house.ask('POST /api/v1/transmissions\nIdempotency-Key: k2', body);
  expect(idOf(other)).not.toBe(idOf(first));
  for (const key of ['', 'ä', 'x'.repeat(256)])
    expect(errorOf(await house.ask(`POST /api/v1/transmissions\nIdempotency-Key: ${key}`, body)).status).toBe(400);
});

test.each([1, 3])('after a restart a request to %i that was served long ago is still known', async (count) => {
  const house = await House.open();
  const first = await house.ask(HEAD, bodyTo(count));
  await house.world.clock.advance(60_000);
  expect(house.inbox.mails).toHaveLength(count);
  await house.world.clock.until(house.server.close(1000));
  await house.begin();
  expect((await house.ask(HEAD, bodyTo(count))).text).toBe(first.text);
  await house.world.clock.advance(24 * 3_600_000);
  expect(idOf(await house.ask(HEAD, bodyTo(count)))).not.toBe(idOf(first));
  await house.world.clock.advance(60_000);
  expect(house.inbox.mails).toHaveLength(2 * count);
});

describe('a request that comes again after a crash', () => {
  test.each([1, 3])(
    'at any moment makes no second transmission to %i, and its id is one that was taken',
    async (count) => {
      const outcomes = new Set<string>();
      for (let after = 0; after < 12; after++) {
        const house = await House.open();
        const client = new HttpClient(house.world, undefined);
        client.says(request(HEAD, bodyTo(count)));
        const [answered] = await client.answers(after);
        await crash(house);
        const again = await insist(house, bodyTo(count));
        if (answered !== undefined && answered.status === 200) expect(again.text).toBe(answered.text);
        expect((await insist(house, bodyTo(count))).text).toBe(again.text);
        await house.world.clock.advance(120_000);
        const ids = new Set(house.inbox.mails.map(({ text }) => /Message-ID: (.*)\r\n/.exec(text)?.[1]));
        expect([after, ids.size]).toEqual([after, count]);
        expect(house.server.ledger.difference).toBe(0);
        outcomes.add(answered === undefined ? 'not answered' : String(answered.status));
      }
      expect([...outcomes].sort()).toEqual(['200', 'not answered']);
    },
  );

  test.each([1, 3])(
    'between the spool and the store is known to the spool: %i recipients, and no second transmission',
    async (count) => {
      const house = await House.open();
      const answer = await diesWhileItIsWritten(house, count);
      await crash(house);
      const first = await insist(house, bodyTo(count));
      if (answer !== undefined) expect(first.text).toBe(answer.text);
      await house.world.clock.advance(120_000);
      expect(new Set(house.inbox.mails.map(({ to }) => to)).size).toBe(count);
      const ids = new Set(house.inbox.mails.map(({ text }) => /Message-ID: (.*)\r\n/.exec(text)?.[1]));
      expect(ids.size).toBe(count);
      // It was put into the store meanwhile, and is known when the spool has nothing of it any more.
      await crash(house);
      expect((await insist(house, bodyTo(count))).text).toBe(first.text);
    },
  );

  test('while the spool is being read is asked to come later', async () => {
    const house = await House.open();
    await diesWhileItIsWritten(house, 2);
    house.world = afterPowerCut(house.world);
    await house.inbox.open(house.world).catch(() => undefined);
    house.world.disk.settings.latencyMillis = 200;
    await house.begin(0);
    expect(errorOf(await house.ask(HEAD, bodyTo(2)))).toMatchObject({
      status: 503,
      description: 'the server is starting',
    });
    const first = await insist(house, bodyTo(2));
    expect((await insist(house, bodyTo(2))).text).toBe(first.text);
    await house.world.clock.advance(120_000);
    const ids = new Set(house.inbox.mails.map(({ text }) => /Message-ID: (.*)\r\n/.exec(text)?.[1]));
    expect(ids.size).toBe(2);
  });
});

test('a store that breaks after the spool has the order: it is taken, and known when the store is mended', async () => {
  const house = await House.open();
  const first = await house.ask(HEAD, bodyTo(3));
  expect(first.status).toBe(200);
  house.world.keyValues.broken = true;
  expect(errorOf(await house.ask(HEAD, bodyTo(3)))).toMatchObject({ status: 503, code: '1502' });
  house.world.keyValues.broken = false;
  await house.world.clock.advance(10_000);
  expect((await house.ask(HEAD, bodyTo(3))).text).toBe(first.text);
});
