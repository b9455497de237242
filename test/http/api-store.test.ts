import { expect, test } from 'vitest';
import { errorOf, jsonOf } from '../support/http-room.ts';
import { House } from '../support/transmission-house.ts';

const inline = { from: 'news@shop.test', subject: 'Hi', text: 'Hello.\n' };
const to = (...emails: string[]): { address: string }[] => emails.map((address) => ({ address }));

test('a store that cannot be read for a while holds a transmission up, and costs it nothing', async () => {
  const house = await House.open();
  const sent = house.send({ recipients: to('a@x.test', 'b@x.test'), content: inline });
  house.world.keyValues.broken = true;
  expect((await sent).results.total_accepted_recipients).toBe(2);
  await house.world.clock.advance(5000);
  expect(house.of('reception')).toEqual([]);
  expect(house.of('generation')).toEqual([]);
  house.world.keyValues.broken = false;
  await house.world.clock.advance(10_000);
  expect(house.of('reception')).toHaveLength(2);
});

test('while the store cannot be read transmissions are turned away, and the paniclog hears of each change once', async () => {
  const house = await House.open();
  house.world.keyValues.broken = true;
  const one = { recipients: to('a@x.test'), content: inline };
  const many = { recipients: to('a@x.test', 'b@x.test'), content: inline };
  // The one that finds out, and all that know.
  for (const body of [one, many, one]) {
    const answer = await house.ask('POST /api/v1/transmissions', body);
    expect(errorOf(answer)).toMatchObject({ status: 503, code: '1502' });
    expect(answer.headers['retry-after']).toBe('10');
  }
  for (const call of ['GET /api/v1/templates', 'GET /api/v1/suppression-list', 'GET /api/v1/suppression-list/a@x.test'])
    expect(errorOf(await house.ask(call))).toMatchObject({ status: 500, code: '1501' });
  await house.world.clock.advance(600_000);
  expect(house.said('API_Store_File')).toEqual([expect.stringMatching(/^ERROR .*disk I\/O error/) as string]);
  expect(house.of('reception')).toEqual([]);
  house.world.keyValues.broken = false;
  await house.world.clock.advance(10_000);
  expect(house.said('API_Store_File').slice(1)).toEqual([expect.stringMatching(/^NOTICE .*again/) as string]);
  await house.send(many);
  await house.world.clock.advance(1000);
  expect(house.of('reception')).toHaveLength(2);
});

test('a store that cannot be opened at the start: the server starts, says so once, and mends itself', async () => {
  const house = new House();
  house.world.keyValues.broken = true;
  await house.openHere();
  expect(house.said('API_Store_File')).toHaveLength(1);
  expect(await house.refused({ recipients: to('a@x.test', 'b@x.test'), content: inline })).toBe('503/1502');
  house.world.keyValues.broken = false;
  await house.world.clock.advance(6000);
  expect(house.said('API_Store_File')).toHaveLength(2);
  await house.send({ recipients: to('a@x.test', 'b@x.test'), content: inline });
});

test('the start makes the directory of the store; where it cannot be made that is tried again', async () => {
  const house = new House();
  house.world.disk.fail({ operation: 'makeDirectory', path: '/var/lib/impetus', times: 2 });
  await house.openHere();
  expect(house.said('API_Store_File')).toHaveLength(1);
  expect(await house.world.clock.until(house.world.disk.status('/var/lib/impetus'))).toBeUndefined();
  await house.world.clock.advance(12_000);
  expect(await house.world.clock.until(house.world.disk.status('/var/lib/impetus'))).toMatchObject({
    kind: 'directory',
    mode: 0o750,
  });
  expect(house.said('API_Store_File')).toHaveLength(2);
  await house.send({ recipients: to('a@x.test'), content: inline });
});

test('a store whose file is removed takes nothing more, and no empty one comes into its place but by a restart', async () => {
  const house = await House.open();
  const path = '/var/lib/impetus/api.db';
  const put = (recipient: string) =>
    house.ask('PUT /api/v1/suppression-list', { recipients: [{ recipient, type: 'non_transactional' }] });
  expect((await put('a@x.test')).status).toBe(200);
  const entries = house.world.keyValues.open(path).scan('', '\u{10ffff}', 100);
  house.world.keyValues.remove(path);
  expect(errorOf(await put('b@x.test'))).toMatchObject({ status: 500, code: '1501' });
  await house.world.clock.advance(60_000);
  expect(await house.refused({ recipients: to('a@x.test'), content: inline })).toBe('503/1502');
  expect(house.said('API_Store_File')).toEqual([
    `ERROR API_Store_File cannot be used: ${path} is gone. Transmissions are answered with 503, and those that were taken wait, until it can be; it is tried again every 5 seconds`,
  ]);
  house.world.keyValues.open(path).write(entries.map(({ key, value }) => [key, value]));
  await house.world.clock.advance(6000);
  expect(await house.refused({ recipients: to('a@x.test'), content: inline })).toBe('400/1902');
  await house.send({ recipients: to('b@x.test'), content: inline });
});

test('a file that is removed while nobody writes is missed by who reads', async () => {
  const house = await House.open();
  await house.send({ recipients: to('a@x.test'), content: inline });
  house.world.keyValues.remove('/var/lib/impetus/api.db');
  await house.world.clock.advance(2000);
  expect(await house.refused({ recipients: to('a@x.test'), content: inline })).toBe('503/1502');
});

test('a transmission that the store holds up is counted for operators', async () => {
  const house = await House.open();
  const sent = house.send({ recipients: to('a@x.test', 'b@x.test'), content: inline });
  house.world.keyValues.broken = true;
  await sent;
  await house.world.clock.advance(100);
  expect(jsonOf(await house.ask('GET /stats/summary'))).toMatchObject({
    TransmissionsWaiting: 0,
    TransmissionsGenerating: 1,
  });
  expect((await house.ask('GET /metrics')).text).toContain('impetus_transmissions{state="generating"} 1\n');
  house.world.keyValues.broken = false;
  await house.world.clock.advance(10_000);
  expect(jsonOf(await house.ask('GET /stats/summary'))).toMatchObject({
    TransmissionsWaiting: 0,
    TransmissionsGenerating: 0,
  });
});

test('a server without an HTTP_Listener neither makes a store nor looks for one', async () => {
  const house = new House();
  house.world.keyValues.broken = true;
  house.world.disk.fail({ operation: 'makeDirectory', path: '/var/lib/impetus' });
  house.world.disk.put('/etc/impetus.conf', 'Spoolbase = "/spool"\nESMTP_Listener { Listen "127.0.0.1:25" { } }\n');
  await house.begin();
  await house.world.clock.advance(60_000);
  expect(house.said('API_Store_File')).toEqual([]);
});
