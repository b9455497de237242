import { expect, test } from 'vitest';
import { afterPowerCut } from '../../src/world/sim/index.ts';
import { House, Inbox } from '../support/transmission-house.ts';

const content = { from: 'news@shop.test', subject: 'Hi', text: 'Hello.\n' };
const to = (...emails: string[]): { address: string }[] => emails.map((address) => ({ address }));
const BOX = `
Sandbox_Binding = "sandbox"
Binding_Group "sandbox" {
  Binding "sandbox" { Gateway = "sink.test" Domain "sink.test" { Routes = ( "smtp://192.0.2.77" ) } }
}
`;

test('what is sent to the sandbox is made as it would be, and goes to the sink and nowhere else', async () => {
  const house = await House.open(BOX);
  const sink = new Inbox();
  await sink.open(house.world, '192.0.2.77:25');
  await house.send({ recipients: to('a@x.test'), content, options: { sandbox: true } });
  await house.send({ recipients: to('a@x.test', 'b@y.test'), content, options: { sandbox: true, ip_pool: 'pool' } });
  await house.send({ recipients: to('c@x.test'), content });
  await house.world.clock.advance(10_000);
  expect(sink.mails.map((mail) => mail.to).sort()).toEqual(['a@x.test', 'a@x.test', 'b@y.test']);
  expect(sink.mails[0]?.text).toContain('To: a@x.test\r\n');
  expect(house.inbox.mails.map((mail) => mail.to)).toEqual(['c@x.test']);
});

test('a sandbox that names no binding is refused', async () => {
  const house = await House.open('Sandbox_Binding = "none"\n');
  expect(await house.refused({ recipients: to('a@x.test'), content, options: { sandbox: true } })).toBe('422/1603');
});

test('when its binding is gone at the next start, mail of the sandbox fails and does not go out by another one', async () => {
  const house = await House.open(BOX);
  // Nobody is at the sink: it waits.
  await house.send({ recipients: to('a@x.test'), content, options: { sandbox: true } });
  await house.world.clock.advance(1000);
  house.world = afterPowerCut(house.world);
  await house.inbox.open(house.world);
  house.configure('');
  await house.begin();
  await house.world.clock.advance(600_000);
  expect(house.of('permanent')).toMatchObject([
    { reply: { code: 554, text: expect.stringContaining('sandbox') as string } },
  ]);
  expect(house.inbox.mails).toEqual([]);
});

test('an order for a sandbox that is gone when its messages are made comes to nothing', async () => {
  const house = await House.open(BOX);
  const sent = house.send({ recipients: to('a@x.test', 'b@x.test'), content, options: { sandbox: true } });
  house.world.keyValues.broken = true;
  await sent;
  house.configure('');
  await house.world.clock.until(house.server.reload());
  house.world.keyValues.broken = false;
  await house.world.clock.advance(10_000);
  expect(house.of('generation')).toMatchObject([{ outcome: 'failure' }, { outcome: 'failure' }]);
  expect(house.of('reception')).toEqual([]);
  expect(house.inbox.mails).toEqual([]);
});
