import { expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { errorOf, jsonOf } from '../support/http-room.ts';
import { House } from '../support/transmission-house.ts';

const BASE = '/api/v1/recipient-lists';
const content = { from: 'news@shop.test', subject: 'Hi {{name}}', text: 'Hello.\n' };
const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({
    address: { email: `r${from + n}@x.test` },
    substitution_data: { name: `N${n}` },
  }));

interface List {
  readonly id: string;
  readonly total_accepted_recipients: number;
  readonly recipients?: readonly { readonly address: { readonly email: string } }[];
}
const listOf = async (house: House, call: string): Promise<List> =>
  jsonOf<{ results: List }>(await house.ask(call)).results;

test('a list is made, shown, sent to, changed and removed', async () => {
  const house = await House.open();
  const made = await house.ask(`POST ${BASE}?num_rcpt_errors=2`, {
    id: 'l1',
    name: 'One',
    attributes: { a: 1 },
    recipients: [...people(1200), { address: 'no' }, 5],
  });
  expect(jsonOf(made)).toMatchObject({
    results: { id: 'l1', name: 'One', total_accepted_recipients: 1200, total_rejected_recipients: 2 },
    errors: [{ code: '5000' }],
  });
  expect(await listOf(house, `GET ${BASE}/l1`)).toEqual({
    id: 'l1',
    name: 'One',
    description: '',
    attributes: { a: 1 },
    total_accepted_recipients: 1200,
  });
  const { recipients = [] } = await listOf(house, `GET ${BASE}/l1?show_recipients=true`);
  expect(recipients.map(({ address }) => address.email)).toEqual(people(1200).map(({ address }) => address.email));
  const { results } = await house.send({ recipients: { list_id: 'l1' }, content });
  expect(results.total_accepted_recipients).toBe(1200);
  await house.world.clock.advance(60_000);
  expect(new Set(house.inbox.mails.map(({ to }) => to)).size).toBe(1200);
  expect(house.inbox.mails[0]?.text).toMatch(/Subject: Hi N\d+\r\n/);
  expect((await house.ask(`PUT ${BASE}/l1`, { recipients: people(1, 5000), description: 'x' })).status).toBe(200);
  expect(await listOf(house, `GET ${BASE}/l1?show_recipients=true`)).toMatchObject({
    name: 'One',
    description: 'x',
    recipients: [{ address: { email: 'r5000@x.test' } }],
  });
  expect(jsonOf<{ results: List[] }>(await house.ask(`GET ${BASE}`)).results.map(({ id }) => id)).toEqual(['l1']);
  expect((await house.ask(`DELETE ${BASE}/l1`)).status).toBe(204);
  expect(errorOf(await house.ask(`GET ${BASE}/l1`))).toMatchObject({ status: 404, code: '1600' });
  expect(await house.refused({ recipients: { list_id: 'l1' }, content })).toBe('422/1603');
});

test.each<[string, object, string]>([
  ['a list that is there', { id: 'l1', recipients: people(1) }, '400/5001'],
  ['nobody', { id: 'l2', recipients: [] }, '400/5002'],
  ['nobody who can have mail', { id: 'l2', recipients: [{ address: 'x' }] }, '400/5002'],
  ['an id that we make ourselves', { id: 'rcptlist_1', recipients: people(1) }, '422/1300'],
  ['an id that is too long', { id: 'x'.repeat(65), recipients: people(1) }, '422/1300'],
  ['too many', { id: 'l2', recipients: Array.from({ length: 100_001 }, () => 0) }, '422/1300'],
])('a list with %s is refused', async (_, body, wanted) => {
  const house = await House.open();
  await house.ask(`POST ${BASE}`, { id: 'l1', recipients: people(1) });
  const { status, code } = errorOf(await house.ask(`POST ${BASE}`, body));
  expect(`${status}/${code}`).toBe(wanted);
  expect((await listOf(house, `GET ${BASE}/l1`)).total_accepted_recipients).toBe(1);
  expect((await house.ask(`GET ${BASE}/l2`)).status).toBe(404);
});

test('a list without an id gets one', async () => {
  const house = await House.open();
  const { id } = jsonOf<{ results: List }>(await house.ask(`POST ${BASE}`, { recipients: people(2) })).results;
  expect(id).toMatch(/^rcptlist_\w+$/);
  expect((await house.send({ recipients: { list_id: id }, content })).results.total_accepted_recipients).toBe(2);
});

test('a list is the old one or the new one, whenever the power goes, and what is left over goes with the next change', async () => {
  for (const writes of [1, 2, 3]) {
    const house = await House.open();
    await house.ask(`POST ${BASE}`, { id: 'l1', recipients: people(600) });
    const { keyValues } = house.world;
    keyValues.writesLeft = writes;
    await house.ask(`PUT ${BASE}/l1`, { recipients: people(700, 1000) });
    house.world = afterPowerCut(house.world);
    await house.inbox.open(house.world);
    await house.begin();
    const { recipients = [], total_accepted_recipients: total } = await listOf(
      house,
      `GET ${BASE}/l1?show_recipients=true`,
    );
    const isNew = writes >= 3;
    expect([recipients.length, total, recipients[0]?.address.email]).toEqual(
      isNew ? [700, 700, 'r1000@x.test'] : [600, 600, 'r0@x.test'],
    );
    await house.ask(`PUT ${BASE}/l1`, { recipients: people(3) });
    const store = house.world.keyValues.open('/var/lib/impetus/api.db');
    expect(store.scan('list-page', 'list-pagf', 100)).toHaveLength(1);
  }
});
