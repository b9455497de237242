import { expect, test } from 'vitest';
import { domainOf } from '../../test/support/generation.ts';
import { MailRoom } from '../../test/support/mail-room.ts';
import { bindingName, seconds } from '../base/index.ts';
import { explainPair, type Pair } from '../queue/index.ts';

const pair = (room: MailRoom, domain: string): Pair => {
  const found = room.queues.find(bindingName('default'), domainOf(domain));
  if (found === undefined) throw new Error(`no queue for ${domain}`);
  return found;
};

const receive = (room: MailRoom, count: number, domain = 'dst.test'): void => {
  for (let i = 0; i < count; i++) room.receive(`b${i}@${domain}`);
};

const kinds = (room: MailRoom): string[] => [...new Set(room.happened().map((line) => line.split(' ')[0] ?? ''))];

test('mail that comes for a suspended domain while a session still rests there waits, and the session goes', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 1);
  await room.later(1);
  room.reconfigure({ domains: { 'dst.test': { suspend_delivery: true } } });
  receive(room, 3);
  await room.later(1);
  expect([peer.taken.length, peer.open, pair(room, 'dst.test').active]).toEqual([1, 0, 3]);
  room.reconfigure({});
  await room.later(1);
  expect(peer.taken.length).toBe(4);
});

test('mail that comes while the throttle is used up and a session rests waits for the throttle', async () => {
  const room = new MailRoom({ global: { outbound_throttle_messages: { count: 2, seconds: 4 } } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 2);
  await room.later(1);
  receive(room, 2);
  await room.later(1);
  expect(peer.taken.length).toBe(2);
  await room.later(5);
  expect([peer.taken.length, peer.sessions]).toEqual([4, 1]);
});

test('a throttle lets no more sessions come and go than it lets messages through', async () => {
  const room = new MailRoom({ global: { outbound_throttle_messages: { count: 1, seconds: 60 } } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 200);
  await room.later(600);
  expect(peer.taken.length).toBeGreaterThanOrEqual(9);
  expect(peer.sessions).toBeLessThanOrEqual(peer.taken.length + 1);
  expect(explainPair(pair(room, 'dst.test'), room.clock).gate).toBe('message throttle');
  expect(kinds(room)).toEqual(['delivery']);
});

test('when the connection throttle recovers more connections are opened, although one is at work', async () => {
  const room = new MailRoom({ global: { outbound_throttle_connections: { count: 1, seconds: 2 } } });
  const peer = await room.peer('dst.test', '192.0.2.1', { dot: () => undefined });
  receive(room, 100);
  await room.later(1);
  expect(peer.open).toBe(1);
  await room.later(20);
  expect(peer.open).toBeGreaterThanOrEqual(9);
});

test('more connections than one run may open are opened in the next ones', async () => {
  const room = new MailRoom({
    global: { max_outbound_connections: 300, connection_allocation_aggressiveness: 'high' },
  });
  const peer = await room.peer('dst.test', '192.0.2.1', { dot: () => undefined });
  receive(room, 2000);
  await room.later(1);
  expect(peer.open).toBeGreaterThan(250);
});

test('two resting sessions both work again, whatever the first one took', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 2, idle_timeout: seconds(60) } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 20);
  await room.later(1);
  expect(peer.open).toBe(2);
  receive(room, 1);
  await room.later(1);
  let waiting = 0;
  peer.script = {
    dot: () => {
      waiting++;
      return undefined;
    },
  };
  receive(room, 20);
  await room.later(1);
  expect([waiting, peer.sessions]).toEqual([2, 2]);
});

test('a place under a cap that the first in line has no more use for goes to the next', async () => {
  const room = new MailRoom({ global: { scope_max_outbound_connections: 1 } });
  const busy = await room.peer('busy.test', '192.0.2.1', { mail: () => undefined });
  const next = await room.peer('next.test', '192.0.2.3');
  room.receive('a@busy.test');
  await room.later(1);
  const gone = room.receive('a@gone.test').recipients[0]?.id;
  room.mx('gone.test', [[10, 'mx.gone.test', '192.0.2.2']]);
  await room.later(1);
  room.receive('a@next.test');
  await room.later(1);
  expect([busy.open, explainPair(pair(room, 'next.test'), room.clock).gate]).toEqual([1, 'scope cap']);
  const item = gone === undefined ? undefined : room.queues.item(gone);
  if (item !== undefined) room.queues.fail(item, { code: 554, enhanced: undefined, text: 'manually failed' }, true);
  await room.later(700);
  expect(next.taken.length).toBe(1);
});

test('a session that rests gives its place to a domain that has none', async () => {
  const room = new MailRoom({ global: { server_max_outbound_connections: 1, idle_timeout: seconds(300) } });
  const one = await room.peer('one.test', '192.0.2.1');
  const two = await room.peer('two.test', '192.0.2.2');
  room.receive('a@one.test');
  await room.later(1);
  expect(one.open).toBe(1);
  room.receive('a@two.test');
  await room.later(1);
  expect([one.open, two.taken.length]).toEqual([0, 1]);
  room.receive('b@one.test');
  await room.later(1);
  expect([one.taken.length, two.open]).toEqual([2, 0]);
});

test('a domain with an endless queue lets one with a single message in', async () => {
  const room = new MailRoom({ global: { scope_max_outbound_connections: 2 } });
  const long = await room.peer('long.test', '192.0.2.1');
  const short = await room.peer('short.test', '192.0.2.2');
  let number = 0;
  long.script = {
    dot: () => {
      room.receive(`b${number++}@long.test`);
      return '250 2.0.0 taken';
    },
  };
  receive(room, 50, 'long.test');
  await room.later(5);
  expect(long.open).toBe(2);
  room.receive('a@short.test');
  await room.later(12);
  expect(short.taken.length).toBe(1);
  expect(kinds(room)).toEqual(['delivery']);
});

test.each([
  [4, 64, 5],
  [1, 4, 60],
  [10, 10, 60],
])(
  'four domains that share %i messages in %i s take turns, with sessions that rest for %i s',
  async (count, period, idle) => {
    const room = new MailRoom({
      global: { outbound_throttle_messages: { count, seconds: period }, idle_timeout: seconds(idle) },
    });
    const peers = [];
    for (let i = 0; i < 4; i++) {
      peers.push(await room.peer(`d${i}.test`, `192.0.2.${i + 1}`));
      receive(room, 200, `d${i}.test`);
      await room.later(3);
    }
    await room.later((period / count) * 200);
    const taken = peers.map((peer) => peer.taken.length);
    expect(taken.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(190);
    expect(Math.min(...taken)).toBeGreaterThan(40);
    // No session was opened for a unit that another one was about to take.
    expect(peers.filter((peer) => peer.sessions > peer.taken.length)).toEqual([]);
  },
);

test('many domains take turns under a small cap, and all mail is delivered', async () => {
  const room = new MailRoom({ global: { server_max_outbound_connections: 3 } });
  const peers = [];
  for (let i = 0; i < 40; i++) {
    peers.push(await room.peer(`d${i}.test`, `192.0.2.${i + 1}`));
    receive(room, 5, `d${i}.test`);
  }
  await room.later(20);
  expect(peers.map((peer) => peer.taken.length)).toEqual(new Array(40).fill(5));
  expect(room.balance).toBe(0);
});

test('a host that is at its limit does not hide that another one is well again', async () => {
  const room = new MailRoom({
    global: { host_failure_retry: seconds(30) },
    hosts: { 'mx2.dst.test': { max_outbound_connections: 0 } },
  });
  room.mx('dst.test', [
    [10, 'mx1.dst.test', '192.0.2.1'],
    [20, 'mx2.dst.test', '192.0.2.2'],
  ]);
  receive(room, 2);
  await room.later(10);
  expect(kinds(room)).toEqual([]);
  const peer = await room.peer('dst.test', '192.0.2.1');
  await room.later(30);
  expect(peer.taken.length).toBe(2);
});

test('a host throttle that is used up holds the mail until it recovers, and charges nobody', async () => {
  const room = new MailRoom({ hosts: { 'mx.dst.test': { outbound_throttle_messages: { count: 2, seconds: 30 } } } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 5);
  await room.later(25);
  expect(peer.taken.length).toBe(2);
  await room.later(60);
  expect(peer.taken.length).toBe(5);
  expect(kinds(room)).toEqual(['delivery']);
});

test('a binding that has no address of the right family tries at each retry time and gives up in the end', async () => {
  const room = new MailRoom({
    global: { bind_address: '2001:db8::1', retry_interval: seconds(60), message_expiration: seconds(200) },
  });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 1);
  await room.later(201);
  expect(room.happened()).toEqual([
    'transient b0@dst.test 22 0 451 4.4.1 [internal] No valid hosts (unable to make any connections)',
    'transient b0@dst.test 22 1 451 4.4.1 [internal] No valid hosts (unable to make any connections)',
    'transient b0@dst.test 22 2 451 4.4.1 [internal] No valid hosts (unable to make any connections)',
    'permanent b0@dst.test 22 3 554 5.4.7 [internal] exceeded max time without delivery',
  ]);
  expect([peer.sessions, room.balance]).toEqual([0, 0]);
});

test('of two families only the one that the binding has an address of is used', async () => {
  const room = new MailRoom({ global: { bind_address: '2001:db8::1', use_ipv6: true } });
  const four = await room.peer('dst.test', '192.0.2.1');
  const six = await room.peer('six.test', '2001:db8::25');
  room.zone.set('mx.dst.test AAAA', {
    kind: 'found',
    records: [{ type: 'AAAA', address: '2001:db8::25' }],
    ttl: 300 as never,
    authentic: false,
  });
  receive(room, 1);
  await room.later(1);
  expect([four.sessions, six.taken.length]).toEqual([0, 1]);
});

test.each([
  ['it is suspended', { suspend_delivery: true }],
  ['DNS says nothing', { dns_failures_to_purge: 0 }],
  ['its cap is 0', { max_outbound_connections: 0 }],
])('a message whose time is over fails although %s', async (_why, global) => {
  const room = new MailRoom({ global: { ...global, message_expiration: seconds(7200) } });
  room.zone.set('dst.test MX', { kind: 'failed', why: 'timeout' });
  room.receive('b@dst.test');
  await room.later(7190);
  expect(room.happened()).toEqual([]);
  await room.later(30);
  expect(room.happened()).toEqual([
    'permanent b@dst.test 22 0 554 5.4.7 [internal] exceeded max time without delivery',
  ]);
  expect(room.queues.ledger).toMatchObject({ expired: 1, queued: 0, difference: 0 });
});

test('a message that is over its time while a throttle holds it back is tried all the same', async () => {
  const room = new MailRoom({
    global: { outbound_throttle_messages: { count: 1, seconds: 60 }, message_expiration: seconds(100) },
  });
  const peer = await room.peer('dst.test', '192.0.2.1');
  receive(room, 4);
  await room.later(300);
  expect(peer.taken.length).toBe(4);
});

test('a domain whose look-up hangs is asked for once, however much mail comes', async () => {
  const room = new MailRoom();
  const asked = new Set<string>();
  room.zone.set('dst.test MX', { kind: 'failed', why: 'timeout' });
  for (let i = 0; i < 5; i++) {
    receive(room, 10);
    await room.later(1);
  }
  for (const each of room.asked) asked.add(each);
  expect([room.asked.length, asked.size]).toEqual([1, 1]);
});

test('mail for a domain that was forgotten with its failures starts afresh', async () => {
  const room = new MailRoom({ global: { message_expiration: seconds(100) } });
  room.mx('dst.test', [[10, 'mx.dst.test', '192.0.2.1']]);
  receive(room, 1);
  await room.later(5000);
  expect([...room.queues.all()].length).toBe(0);
  expect(room.delivery.failuresOf(domainOf('dst.test'))).toBe(0);
  expect(room.balance).toBe(0);
});
