import { describe, expect, test } from 'vitest';
import { bindingName, seconds } from '../../src/base/index.ts';
import type { EcstreamRefused } from '../../src/ecstream/index.ts';
import { type Envelope, idAllocator } from '../../src/message/index.ts';
import { explainItem } from '../../src/queue/index.ts';
import { MailRoom } from '../support/mail-room.ts';
import { mail, StreamHouse } from './house.ts';

const ids = idAllocator({ instance: 9 });

/** A message that came by ECStream, with its wishes in seconds from now. */
function receive(room: MailRoom, wishes: { readonly notBefore?: number; readonly expiry?: number }): void {
  const date = room.clock.date();
  const at = (wish: number): string => String(Math.floor(date / 1000) + wish);
  const message: Record<string, string> = {};
  if (wishes.notBefore !== undefined) message.ec_not_before = at(wishes.notBefore);
  if (wishes.expiry !== undefined) message.ec_expiry = at(wishes.expiry);
  const id = ids.next(date);
  const envelope: Envelope = {
    batchId: id,
    connectionId: id,
    receivedAt: date,
    reversePath: 'a@src.test',
    recipients: [{ id, path: 'b@y.test', binding: bindingName('default') }],
    protocol: 'ecstream',
    peer: '127.0.0.1',
    size: 10,
    context: { connection: {}, message },
  };
  room.queues.enqueue(room.spool.put(envelope, 'Subject: x\r\n\r\n'));
}

describe('in the queue', () => {
  test('a message is not tried before ec_not_before', async () => {
    const room = new MailRoom();
    await room.peer('y.test', '10.0.0.2');
    receive(room, { notBefore: 600 });
    await room.later(590);
    expect(room.happened()).toEqual([]);
    await room.later(20);
    expect(room.happened()).toEqual([expect.stringMatching(/^delivery b@y\.test /)]);
  });

  test('neither a flush nor an operator who wants one message tried sends it before, and explain says why it waits', async () => {
    const room = new MailRoom();
    await room.peer('y.test', '10.0.0.2');
    receive(room, { notBefore: 600 });
    const [pair] = room.queues.all();
    const [item] = pair?.items() ?? [];
    if (pair === undefined || item === undefined) throw new Error('nothing waits');
    expect(room.queues.retry(item)).toBe(false);
    expect(room.queues.flush(pair)).toBe(0);
    const due = item.nextAttempt;
    expect(explainItem(item, pair, room.clock)).toMatchObject({ gate: 'not before', because: undefined, until: due });
    await room.later(590);
    expect(room.happened()).toEqual([]);
    await room.later(20);
    expect(room.happened()).toHaveLength(1);
  });

  test('it is given up at ec_expiry, long before message_expiration, with one last try at it', async () => {
    const room = new MailRoom({ global: { retry_interval: seconds(600) } });
    await room.peer('y.test', '10.0.0.2', { mail: () => '451 4.2.0 later' });
    receive(room, { expiry: 900 });
    await room.later(1000);
    const happened = room.happened();
    expect(happened.map((line) => line.split(' ')[0])).toEqual(['transient', 'transient', 'permanent']);
    expect(room.buried).toHaveLength(1);
    expect(room.balance).toBe(0);
  });

  test('a later first try than the expiry is made at the expiry', async () => {
    const room = new MailRoom();
    await room.peer('y.test', '10.0.0.2');
    receive(room, { notBefore: 9000, expiry: 100 });
    await room.later(110);
    expect(room.happened()).toHaveLength(1);
  });

  test('a time that a policy has made nonsense of holds nobody up', async () => {
    const room = new MailRoom();
    await room.peer('y.test', '10.0.0.2');
    receive(room, { notBefore: Number.NaN });
    receive(room, {});
    await room.later(10);
    expect(room.happened()).toHaveLength(2);
  });
});

test('at the door: times are kept with the message, and refused when they make no sense', async () => {
  const house = await StreamHouse.with();
  const sender = house.sender();
  const now = house.world.clock.date();
  await house.until(sender.send({ ...mail(1), notBefore: now + 60_000, expires: now + 120_000 }));
  expect(house.spool.kept[0]?.envelope.context.message).toMatchObject({
    ec_not_before: String(Math.floor((now + 60_000) / 1000)),
    ec_expiry: String(Math.floor((now + 120_000) / 1000)),
  });
  for (const context of [{ ec_expiry: 'tomorrow' }, { ec_expiry: '1' }, { ec_not_before: '-1' }]) {
    const refused = await house.until(sender.send({ ...mail(2), context }).catch((why: unknown) => why));
    expect((refused as EcstreamRefused).reply?.code).toBe(501);
  }
  const to = [{ address: 'b@y.test', context: { ec_expiry: '9999999999' } }, 'c@y.test'];
  const { refused } = await house.until(sender.send({ ...mail(3), to }));
  expect(refused.map(({ recipient, reply }) => [recipient, reply.code])).toEqual([['b@y.test', 501]]);
});
