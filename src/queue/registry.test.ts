import { expect, test, vi } from 'vitest';
import { domainOf } from '../../test/support/generation.ts';
import { MailRoom } from '../../test/support/mail-room.ts';
import { bindingName, millis, seconds } from '../base/index.ts';
import { reply } from '../smtp/index.ts';
import { EnvelopeStore } from './envelope-store.ts';
import { explainPair } from './explain.ts';
import { writeRetryState } from './retry-state.ts';

const PURGED = reply(554, undefined, 'manually failed');

/** A room in which nothing leaves: deliveries are suspended. */
function held(): { room: MailRoom; pair: () => NonNullable<ReturnType<MailRoom['queues']['find']>> } {
  const room = new MailRoom({ global: { suspend_delivery: true } });
  return {
    room,
    pair: () => {
      const pair = room.queues.find(bindingName('default'), domainOf('dst.test'));
      if (pair === undefined) throw new Error('no such pair');
      return pair;
    },
  };
}

test('items of one message are taken together, in order, and no others with them', () => {
  const { room, pair } = held();
  room.receive(['a@dst.test', 'b@dst.test', 'c@dst.test']);
  room.receive('d@dst.test');
  const taken = pair().take(10);
  expect(taken.map((item) => item.message.envelope.recipients[item.recipient]?.path)).toEqual([
    'a@dst.test',
    'b@dst.test',
    'c@dst.test',
  ]);
  expect(pair()).toMatchObject({ active: 1, inFlight: 3 });
});

test('a batch is split at what is asked for', () => {
  const { room, pair } = held();
  room.receive(['a@dst.test', 'b@dst.test', 'c@dst.test']);
  expect([pair().take(2).length, pair().take(2).length, pair().take(2).length]).toEqual([2, 1, 0]);
});

test('what is returned goes to the front again and is charged nothing', () => {
  const { room, pair } = held();
  room.receive('a@dst.test');
  room.receive('b@dst.test');
  const [first] = pair().take(1);
  if (first === undefined) throw new Error('nothing taken');
  pair().settle(first, { kind: 'returned', gate: 0 as never, until: room.clock.now() });
  expect(pair().take(1)[0]).toMatchObject({ id: first.id, retries: 0 });
});

test('an item that was failed while it was active is never taken', async () => {
  const { room, pair } = held();
  const gone = room.receive('a@dst.test').recipients[0]?.id;
  room.receive('b@dst.test');
  const item = gone === undefined ? undefined : room.queues.item(gone);
  expect(item !== undefined && room.queues.fail(item, PURGED, true)).toBe(true);
  await room.later(1);
  expect(room.happened()).toEqual(['permanent a@dst.test 22 0 554 manually failed']);
  expect(
    pair()
      .take(5)
      .map((each) => each.message.envelope.recipients[0]?.path),
  ).toEqual(['b@dst.test']);
  expect(room.queues.ledger).toMatchObject({ failed: 1, queued: 1, difference: 0 });
});

test('what was failed by hand is not delivered after all because its bounce could not be stored', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(30) } });
  let said = '450 4.2.0 later';
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => said });
  const { recipients } = room.receive(['a@dst.test', 'b@dst.test']);
  await room.later(1);
  said = '250 2.1.5 ok';
  room.burialFails = true;
  const item = recipients[1] && room.queues.item(recipients[1].id);
  expect(item !== undefined && room.queues.fail(item, PURGED, false)).toBe(true);
  await room.later(100);
  room.burialFails = false;
  // An operator who is in a hurry does not change what has been decided.
  room.queues.find(bindingName('default'), domainOf('dst.test'))?.flush();
  await room.later(61);
  expect(room.happened().filter((line) => !line.startsWith('transient'))).toEqual([
    expect.stringMatching(/^delivery a@dst\.test/),
    'permanent b@dst.test 22 1 554 manually failed',
  ]);
  expect(room.balance).toBe(0);
});

test('what was failed by hand is not delivered after all because the server was restarted before its bounce was stored', async () => {
  const before = new MailRoom({ global: { suspend_delivery: true } });
  const envelope = before.receive(['a@dst.test', 'b@dst.test']);
  before.burialFails = true;
  const item = envelope.recipients[1] && before.queues.item(envelope.recipients[1].id);
  expect(item !== undefined && before.queues.fail(item, PURGED, false)).toBe(true);
  await before.later(300);
  const [kept] = before.spool.kept.values();

  const room = new MailRoom();
  await room.peer('dst.test', '192.0.2.1');
  room.burialFails = true;
  const { at, traits } = room.spool.put(envelope, 'x\r\n');
  room.queues.readmit({ at, envelope, traits, done: [], state: kept?.state });
  await room.later(100);
  expect(room.happened()).toEqual([expect.stringMatching(/^delivery a@dst\.test/)]);
  room.burialFails = false;
  await room.later(61);
  expect(room.happened()).toEqual(['permanent b@dst.test 22 0 554 manually failed']);
  expect(room.buried).toMatchObject([{ recipient: 1, quiet: false }]);
  expect(room.balance).toBe(0);
});

test('that a bounce cannot be stored is written down once, not each time that it is tried', async () => {
  const { room } = held();
  const { recipients } = room.receive('a@dst.test');
  room.burialFails = true;
  using amending = vi.spyOn(room.spool, 'amend');
  const item = recipients[0] && room.queues.item(recipients[0].id);
  expect(item !== undefined && room.queues.fail(item, PURGED, false)).toBe(true);
  await room.later(600);
  expect(amending).toHaveBeenCalledTimes(1);
});

test('of one message to a thousand domains the records do not grow with the square of them, and a stop writes the last', async () => {
  const { room } = held();
  const written: number[] = [];
  room.spool.amend = (_at, state) => void written.push(state.length);
  room.receive(Array.from({ length: 1000 }, (_, index) => `a@d${index}.test`));
  const attempt = room.delivery.noAttempt;
  for (const pair of room.queues.all()) {
    pair.delayAll({ kind: 'deferred', reply: reply(450, '4.0.0', 'x'), attempt });
    await room.later(0.01);
  }
  expect(written.length).toBeLessThanOrEqual(10);
  room.queues.close();
  expect(written.at(-1)).toBe(14 * 1000);
});

test('an item in flight can be neither failed nor retried by an operator', () => {
  const { room, pair } = held();
  room.receive('a@dst.test');
  const [item] = pair().take(1);
  if (item === undefined) throw new Error('nothing taken');
  expect([room.queues.fail(item, PURGED, false), room.queues.retry(item)]).toEqual([false, false]);
});

test('delayed items come due by their time, and a flush makes them due at once', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(3600) } });
  const peer = await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 later' });
  room.receive(['a@dst.test', 'b@dst.test']);
  await room.later(1);
  const pair = room.queues.find(bindingName('default'), domainOf('dst.test'));
  expect(pair).toMatchObject({ active: 0, delayed: 2 });
  peer.script = {};
  if (pair !== undefined) expect(room.queues.flush(pair)).toBe(2);
  await room.later(1);
  expect(room.happened().filter((line) => line.startsWith('delivery')).length).toBe(2);
  expect(room.balance).toBe(0);
});

test('a flush leaves what must not go out yet where it is', async () => {
  const room = new MailRoom();
  await room.peer('dst.test', '192.0.2.1', {});
  const date = room.clock.date();
  room.receiveAs('a@dst.test', 'Subject: x\r\n\r\n', { dots: false, lone: false }, (envelope) => ({
    ...envelope,
    protocol: 'rest',
    receivedAt: millis(date + 3_600_000),
    context: { connection: {}, message: { scheduled_time: String(date / 1000 + 3600) } },
  }));
  const pair = room.queues.find(bindingName('default'), domainOf('dst.test'));
  expect(pair === undefined ? -1 : room.queues.flush(pair)).toBe(0);
  expect(pair).toMatchObject({ active: 0, delayed: 1 });
  await room.later(3599);
  expect(room.happened()).toEqual([]);
  await room.later(2);
  expect(room.happened()).toEqual([expect.stringMatching(/^delivery a@dst\.test/) as string]);
  expect(room.balance).toBe(0);
});

test('an item that is retried by hand while a stale entry of it stands in the ring is taken once', async () => {
  const { room, pair } = held();
  room.receive('a@dst.test');
  room.receive('b@dst.test');
  pair().delayAll({ kind: 'deferred', reply: reply(450, '4.0.0', 'x'), attempt: room.delivery.noAttempt });
  expect(pair()).toMatchObject({ active: 0, delayed: 2 });
  for (const item of pair().items()) room.queues.retry(item);
  expect([pair().take(5), pair().take(5), pair().take(5)].flat().length).toBe(2);
});

test('a message whose recipient has no domain that can be looked up fails like any other', async () => {
  const room = new MailRoom();
  room.receive('a@not..a..domain');
  await room.later(1);
  expect(room.happened()).toEqual(['permanent a@not..a..domain 22 0 554 5.4.4 [internal] Domain Lookup Failed']);
});

test('an expired message is not attempted where that is configured', async () => {
  const room = new MailRoom({ global: { suspend_delivery: true, message_expiration: seconds(10) } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.receive('a@dst.test');
  await room.later(12);
  room.reconfigure({ global: { never_attempt_expired_messages: true, message_expiration: seconds(10) } });
  await room.later(5);
  expect(room.happened()).toEqual([
    'permanent a@dst.test 22 0 554 5.4.5 [internal] Delivery not attempted (message expired)',
  ]);
  expect([peer.taken.length, room.queues.ledger.expired, room.balance]).toEqual([0, 1, 0]);
});

test('pairs without mail are forgotten, and come back with the next message', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.receive('a@dst.test');
  await room.later(4000);
  expect([...room.queues.all()].length).toBe(0);
  room.receive('a@dst.test');
  await room.later(1);
  expect(peer.taken.length).toBe(2);
  expect(room.complaints).toEqual([]);
});

test('an explanation names the gate, the option and the stanza that hold mail back', () => {
  const { room, pair } = held();
  room.receive('a@dst.test');
  expect(explainPair(pair(), room.clock)).toMatchObject({
    gate: 'suspended',
    because: { option: 'suspend_delivery', value: 'true', owner: { key: 'global' } },
  });
});

test('a message that was tried before it expired keeps the last words of the peer for its bounce', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(60), message_expiration: seconds(100) } });
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 greylisted' });
  room.receive('a@dst.test');
  await room.later(1);
  room.reconfigure({ global: { suspend_delivery: true, message_expiration: seconds(100) } });
  await room.later(120);
  expect(room.happened().at(-1)).toBe(
    'permanent a@dst.test 22 1 554 5.4.7 [internal] exceeded max time without delivery',
  );
  expect(room.buried[0]).toMatchObject({ rawReply: { code: 450, text: 'greylisted' } });
});

test('mail whose next attempt was written with a wrong clock is not put off for years', async () => {
  const before = new MailRoom({ global: { retry_interval: seconds(100) } });
  const envelope = before.receive('a@dst.test');
  const room = new MailRoom({ global: { suspend_delivery: true, max_retry_interval: seconds(500) } });
  const { at, traits } = room.spool.put(envelope, 'x\r\n');
  const state = writeRetryState([{ recipient: 0, retries: 1, nextAttempt: millis(room.clock.date() + 1e12) }]);
  room.queues.readmit({ at, envelope, traits, done: [], state });
  const pair = room.queues.find(bindingName('default'), domainOf('dst.test'));
  expect(pair).toMatchObject({ active: 0, delayed: 1 });
  await room.later(501);
  expect(pair).toMatchObject({ active: 1, delayed: 0 });
});

test('mail of a binding that is configured no more stays in its queue, and comes back in the default one', async () => {
  const room = new MailRoom({ global: { suspend_delivery: true } });
  const { recipients, ...rest } = room.receive('a@dst.test');
  const gone = bindingName('gone');
  const envelope = { ...rest, recipients: recipients.map((each) => ({ ...each, binding: gone })) };
  const { at, traits } = room.spool.put(envelope, 'x\r\n');
  room.queues.enqueue({ at, envelope, traits });
  room.reconfigure({ global: { suspend_delivery: true } });
  expect(room.queues.find(gone, domainOf('dst.test'))).toMatchObject({ active: 1 });

  const after = new MailRoom({ global: { suspend_delivery: true } });
  after.queues.readmit({ at, envelope, traits, done: [], state: undefined });
  expect(after.queues.find(gone, domainOf('dst.test'))).toBeUndefined();
  expect(after.queues.find(bindingName('default'), domainOf('dst.test'))).toMatchObject({ active: 1 });
  expect(after.balance).toBe(0);
});

test('a batch of many recipients is recovered, tried and finished without a search for each', async () => {
  const room = new MailRoom({ global: { max_recipients_per_batch: 0 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.receive(Array.from({ length: 20_000 }, (_, i) => `b${i}@dst.test`));
  await room.later(5);
  expect(peer.taken.map((mail) => mail.to.length)).toEqual([20_000]);
  expect(room.balance).toBe(0);
});

test.each([
  ['delayed together', 'transient', { connect_timeout_to_delay: seconds(1), host_failure_retry: seconds(5) }],
  ['expired', 'permanent', { suspend_delivery: true, message_expiration: seconds(10) }],
  ['for a domain that does not exist', 'permanent', {}],
])('when thousands of messages are %s, no turn has more than some of them', async (what, kind, global) => {
  const room = new MailRoom({ global });
  if (what === 'delayed together') room.mx('dst.test', [[10, 'mx.dst.test', '192.0.2.1']]);
  let inTurn = 0;
  let most = 0;
  const record = room.recorded.push.bind(room.recorded);
  room.recorded.push = (...events) => {
    if (inTurn++ === 0)
      queueMicrotask(() => {
        most = Math.max(most, inTurn);
        inTurn = 0;
      });
    return record(...events);
  };
  for (let i = 0; i < 4500; i++) room.receive(`b${i}@dst.test`);
  await room.later(100);
  expect(most).toBeLessThanOrEqual(1000);
  expect(room.happened().filter((line) => line.startsWith(kind)).length).toBe(4500);
  expect(room.balance).toBe(0);
});

test('when the queues are closed nothing more is failed, however many were to be', async () => {
  const { room, pair } = held();
  room.receive(Array.from({ length: 2500 }, (_, index) => `u${index}@dst.test`));
  pair().delayAll({ kind: 'deferred', reply: reply(450, '4.0.0', 'x'), attempt: room.delivery.noAttempt });
  expect(pair()).toMatchObject({ active: 1500, delayed: 1000 });
  room.queues.close();
  await room.later(1);
  expect(room.happened()).toHaveLength(1000);
});

test('a message of many recipients that are delayed together is unpacked once, and not once for each', async () => {
  const { room, pair } = held();
  room.receive(Array.from({ length: 5000 }, (_, index) => `u${index}@dst.test`));
  await room.later(1);
  using unpacking = vi.spyOn(EnvelopeStore.prototype, 'get');
  pair().delayAll({ kind: 'deferred', reply: reply(450, '4.0.0', 'x'), attempt: room.delivery.noAttempt });
  await room.later(1);
  expect(pair()).toMatchObject({ active: 0, delayed: 5000 });
  // Each of them is asked for by name; at twenty milliseconds each it would be more than a minute.
  expect(new Set(unpacking.mock.results.map(({ value }) => value)).size).toBe(1);
});
