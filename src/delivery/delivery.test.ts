import { expect, test } from 'vitest';
import { domainOf } from '../../test/support/generation.ts';
import { MailRoom } from '../../test/support/mail-room.ts';
import { seconds } from '../base/index.ts';
import { readRouteEntry } from './route-entry.ts';

const pair = (room: MailRoom, domain: string) => {
  const found = room.queues.find('default' as never, domainOf(domain));
  if (found === undefined) throw new Error(`no queue for ${domain}`);
  return found;
};

test('a message goes to the mail exchanger of its domain and leaves the spool', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.receive('b@dst.test');
  await room.later(1);
  expect(peer.taken).toEqual([
    { from: '<a@src.test> SIZE=21', to: ['<b@dst.test>'], body: 'Subject: x\r\n\r\nhello\r\n' },
  ]);
  expect(room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
  expect(room.spool.kept.size).toBe(0);
  expect(room.spool.held).toBe(0);
  expect(room.balance).toBe(0);
});

test('one connection is reused for many messages and closed when it has been idle', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 1 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 50; i++) room.receive(`b${i}@dst.test`);
  await room.later(4);
  expect(peer.taken.map((mail) => mail.to[0])).toEqual(Array.from({ length: 50 }, (_, i) => `<b${i}@dst.test>`));
  expect([peer.sessions, peer.open]).toEqual([1, 1]);
  await room.later(10);
  expect(peer.open).toBe(0);
  expect(room.delivery.outboundConcurrency).toBe(0);
});

test('recipients of one message share a transaction, each with its own fate', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1', {
    rcpt: (to) => (to.includes('bad') ? '550 5.1.1 no such user' : to.includes('full') ? '452 4.2.2 full' : '250 ok'),
  });
  room.receive(['good@dst.test', 'bad@dst.test', 'full@dst.test']);
  await room.later(1);
  expect(peer.taken.map((mail) => mail.to)).toEqual([['<good@dst.test>']]);
  expect(room.happened().sort()).toEqual([
    'delivery good@dst.test 9 0 250 2.0.0 taken',
    'permanent bad@dst.test 5 0 550 5.1.1 no such user',
    'transient full@dst.test 5 0 452 4.2.2 full',
  ]);
  expect(room.queues.ledger).toMatchObject({ received: 3, delivered: 1, failed: 1, queued: 1, difference: 0 });
});

test('a deferred message is tried again after retry_interval, twice that, and is delivered in the end', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(100) } });
  let tries = 0;
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => (++tries < 3 ? '450 4.2.0 greylisted' : '250 ok') });
  room.receive('b@dst.test');
  await room.later(99);
  expect(room.happened()).toEqual(['transient b@dst.test 5 0 450 4.2.0 greylisted']);
  expect(pair(room, 'dst.test')).toMatchObject({ active: 0, delayed: 1 });
  await room.later(3);
  expect(room.happened()).toEqual(['transient b@dst.test 5 1 450 4.2.0 greylisted']);
  await room.later(190);
  expect(room.happened()).toEqual([]);
  await room.later(15);
  expect(room.happened()).toEqual(['delivery b@dst.test 9 2 250 2.0.0 taken']);
  expect(room.balance).toBe(0);
});

test('a message that expires has one last try at its deadline, and one P line', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(60), message_expiration: seconds(100) } });
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 no' });
  room.receive('b@dst.test');
  await room.later(101);
  expect(room.happened()).toEqual([
    'transient b@dst.test 5 0 450 4.2.0 no',
    'transient b@dst.test 5 1 450 4.2.0 no',
    'permanent b@dst.test 5 2 554 5.4.7 [internal] exceeded max time without delivery',
  ]);
  expect(room.buried[0]).toMatchObject({ rawReply: { code: 450, text: 'no' } });
  expect(room.queues.ledger).toMatchObject({ expired: 1, failed: 0, queued: 0, difference: 0 });
});

test('a bounce that cannot be stored keeps the message, and is tried again; the message is not', async () => {
  const room = new MailRoom();
  let asked = 0;
  await room.peer('dst.test', '192.0.2.1', {
    rcpt: () => {
      asked++;
      return '550 5.1.1 no';
    },
  });
  room.burialFails = true;
  room.receive('b@dst.test');
  await room.later(1);
  expect(room.happened()).toEqual([]);
  expect(room.queues.ledger).toMatchObject({ queued: 1, failed: 0, difference: 0 });
  await room.later(150);
  room.burialFails = false;
  await room.later(61);
  expect(room.happened()).toEqual(['permanent b@dst.test 5 0 550 5.1.1 no']);
  expect(asked).toBe(1);
  expect(room.balance).toBe(0);
});

test('when the best exchanger refuses connections the next one is tried in the same attempt', async () => {
  const room = new MailRoom();
  const second = await room.peer('dst.test', '192.0.2.2');
  room.mx('dst.test', [
    [10, 'mx1.dst.test', '192.0.2.1'],
    [20, 'mx2.dst.test', '192.0.2.2'],
  ]);
  room.receive('b@dst.test');
  await room.later(1);
  expect(second.taken.length).toBe(1);
  expect(room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
});

test('when nobody can be reached one message is charged, the others wait for the hosts', async () => {
  const room = new MailRoom();
  room.mx('dst.test', [
    [10, 'mx1.dst.test', '192.0.2.1'],
    [20, 'mx2.dst.test', '192.0.2.2'],
  ]);
  for (let i = 0; i < 5; i++) room.receive(`b${i}@dst.test`);
  await room.later(1);
  expect(room.happened()).toEqual([
    'transient b0@dst.test 0 0 421 4.4.0 [internal] no mail servers for this domain could be reached at this time',
  ]);
  expect(pair(room, 'dst.test')).toMatchObject({ active: 4, delayed: 1 });
  await room.peer('dst.test', '192.0.2.1');
  await room.later(125);
  expect(room.happened().length).toBe(4);
  expect(room.balance).toBe(0);
});

test('a domain out of reach for connect_timeout_to_delay has its whole queue delayed', async () => {
  const room = new MailRoom({ global: { connect_timeout_to_delay: seconds(300) } });
  room.mx('dst.test', [[10, 'mx1.dst.test', '192.0.2.1']]);
  for (let i = 0; i < 20; i++) room.receive(`b${i}@dst.test`);
  await room.later(500);
  expect(pair(room, 'dst.test')).toMatchObject({ active: 0, delayed: 20 });
  expect(room.balance).toBe(0);
});

test('a silent peer costs connect_timeout, then the message waits', async () => {
  const room = new MailRoom({ global: { connect_timeout: seconds(10) } });
  room.mx('dst.test', [[10, 'mx1.dst.test', '192.0.2.1']]);
  room.network.silence('192.0.2.1:25');
  room.receive('b@dst.test');
  await room.later(9);
  expect(room.happened()).toEqual([]);
  await room.later(2);
  expect(room.happened()[0]).toContain('transient b@dst.test 0 0 421 4.4.0');
});

test('no more connections than max_outbound_connections are open at any instant', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 4 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 200; i++) room.receive(`b${i}@dst.test`);
  await room.later(3);
  expect(peer.taken.length).toBe(200);
  expect(peer.mostOpen).toBe(4);
});

test('a connection carries max_deliveries_per_connection messages and not one more', async () => {
  const room = new MailRoom({ global: { max_deliveries_per_connection: 3, max_outbound_connections: 1 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 9; i++) room.receive(`b${i}@dst.test`);
  await room.later(5);
  expect(peer.taken.length).toBe(9);
  expect(peer.sessions).toBe(3);
});

test('a suspended domain waits without attempts and goes on when it is resumed', async () => {
  const room = new MailRoom({ domains: { 'dst.test': { suspend_delivery: true } } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.receive('b@dst.test');
  await room.later(1000);
  expect(room.happened()).toEqual([]);
  expect(peer.sessions).toBe(0);
  room.reconfigure({});
  await room.later(1);
  expect(room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
});

test('other Routes are used when the cached route ends, or when the domain is refreshed', async () => {
  const room = new MailRoom();
  const one = await room.peer('dst.test', '192.0.2.1');
  const two = await room.peer('other.test', '192.0.2.2');
  room.receive('a@dst.test');
  await room.later(1);
  room.reconfigure({ global: { routes: [readRouteEntry('192.0.2.2')] } });
  room.receive('b@dst.test');
  await room.later(1);
  expect([one.taken.length, two.taken.length]).toEqual([2, 0]);
  room.delivery.routes.refresh(domainOf('dst.test'));
  // A session that is open still takes what comes; when it has gone the new route holds.
  await room.later(10);
  room.receive('c@dst.test');
  await room.later(1);
  expect([one.taken.length, two.taken.length]).toEqual([2, 1]);
});

test('an attempt carries the generation that its connection was opened with', async () => {
  const room = new MailRoom();
  let release = (): void => undefined;
  const peer = await room.peer('dst.test', '192.0.2.1', {
    mail: () => {
      release();
      return '250 ok';
    },
  });
  release = () => {
    if (room.generation.number === 1) room.reconfigure({ global: { max_deliveries_per_connection: 7 } });
  };
  room.receive('b@dst.test');
  await room.later(5);
  room.receive('c@dst.test');
  await room.later(5);
  expect(peer.taken.length).toBe(2);
  expect(room.recorded.map(({ kind, generation }) => `${kind} ${generation}`)).toEqual(['delivery 1', 'delivery 2']);
});

test('a message throttle lets so many through in its period, charges nobody, and goes on', async () => {
  const room = new MailRoom({ global: { outbound_throttle_messages: { count: 5, seconds: 10 } } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 12; i++) room.receive(`b${i}@dst.test`);
  await room.later(1);
  expect(peer.taken.length).toBe(5);
  await room.later(10);
  expect(peer.taken.length).toBe(10);
  await room.later(10);
  expect(peer.taken.length).toBe(12);
  expect(room.happened().every((line) => line.startsWith('delivery'))).toBe(true);
});

test('connections that share a declaring stanza stay under scope_max_outbound_connections together', async () => {
  const room = new MailRoom({ global: { scope_max_outbound_connections: 3 } });
  let together = 0;
  const count = () => {
    together = Math.max(together, one.open + two.open);
    return '250 ok';
  };
  const one = await room.peer('one.test', '192.0.2.1', { mail: count });
  const two = await room.peer('two.test', '192.0.2.2', { mail: count });
  for (let i = 0; i < 60; i++) {
    room.receive(`b${i}@one.test`);
    room.receive(`b${i}@two.test`);
  }
  await room.later(30);
  expect([one.taken.length, two.taken.length]).toEqual([60, 60]);
  expect(together).toBe(3);
});

test('a name that does not exist fails at once, a null MX too', async () => {
  const room = new MailRoom();
  room.zone.set('null.test MX', {
    kind: 'found',
    records: [{ type: 'MX', preference: 0, host: '' }],
    ttl: 60 as never,
    authentic: false,
  });
  room.receive('b@nowhere.test');
  room.receive('b@null.test');
  await room.later(1);
  expect(room.happened().sort()).toEqual([
    'permanent b@nowhere.test 22 0 554 5.4.4 [internal] Domain Lookup Failed',
    'permanent b@null.test 22 0 550 5.4.4 [internal] NULL MX domain does not accept mail',
  ]);
});

test('a domain without MX is its own exchanger', async () => {
  const room = new MailRoom();
  const peer = await room.peer('other.test', '192.0.2.1');
  room.zone.set('dst.test MX', { kind: 'no data', ttl: 60 as never });
  room.zone.set('dst.test A', {
    kind: 'found',
    records: [{ type: 'A', address: '192.0.2.1' }],
    ttl: 60 as never,
    authentic: false,
  });
  room.receive('b@dst.test');
  await room.later(1);
  expect(peer.taken.length).toBe(1);
});

test('while DNS says nothing mail waits uncharged, and a dead resolver never empties the queue', async () => {
  const room = new MailRoom({
    global: { mx_failures_fallback_to_a: 0, dns_failures_to_purge: 2, retry_interval: seconds(100) },
  });
  room.zone.set('dst.test MX', { kind: 'failed', why: 'timeout' });
  room.receive('b@dst.test');
  await room.later(3000);
  expect(room.happened()).toEqual([]);
  expect(room.balance).toBe(0);
  await room.peer('dst.test', '192.0.2.1');
  await room.later(61);
  expect(room.happened()).toEqual(['delivery b@dst.test 9 0 250 2.0.0 taken']);
});

test('a gateway is the routing domain of everything below it', async () => {
  const room = new MailRoom({ global: { gateway: '192.0.2.9', remote_smtp_port: 2600 } });
  const peer = await room.peer('x.test', '192.0.2.8');
  await room.network.listen({ kind: 'tcp', ip: '192.0.2.9', port: 2600 }, { backlog: 1, fileMode: 0 }, peer.accept);
  room.receive(['b@one.test', 'c@two.test']);
  await room.later(1);
  expect(peer.taken.map((mail) => mail.to)).toEqual([['<b@one.test>', '<c@two.test>']]);
  expect(pair(room, '192.0.2.9').counters.delivered).toBe(2);
});

test('a message larger than the peer takes fails without DATA', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: ['peer.test', 'PIPELINING', 'SIZE 10'] });
  room.receive('b@dst.test');
  await room.later(1);
  expect(peer.taken).toEqual([]);
  expect(room.happened()).toEqual(['permanent b@dst.test 2 0 552 5.3.4 [internal] message size exceeds remote limit']);
});

test('a body from a slow disk, with dots and lone line feeds, arrives as it must', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.spool.slow = true;
  room.receive('b@dst.test', '.a\nb\r\n.\r\n', { dots: true, lone: true });
  await room.later(1);
  expect(peer.taken[0]?.body).toBe('..a\r\nb\r\n..\r\n');
});

test.each(['banner', 'mail', 'rcpt', 'data', 'dot'] as const)(
  'a peer that closes in place of its answer to %s costs one attempt and no more',
  async (step) => {
    const room = new MailRoom({ global: { retry_interval: seconds(10), host_failure_retry: seconds(5) } });
    const peer = await room.peer('dst.test', '192.0.2.1', { [step]: step === 'banner' ? '' : () => '' });
    room.receive('b@dst.test');
    await room.later(2);
    expect(room.happened().length).toBe(1);
    expect(pair(room, 'dst.test')).toMatchObject({ active: 0, delayed: 1, inFlight: 0 });
    peer.script = {};
    await room.later(20);
    expect(room.happened()).toEqual(['delivery b@dst.test 9 1 250 2.0.0 taken']);
    expect([room.balance, room.spool.held]).toEqual([0, 0]);
  },
);

test('a peer that closes after each confirmation delivers everything without a transient failure', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 2 } });
  const peer = await room.peer('dst.test', '192.0.2.1', { closesAfterDot: true });
  for (let i = 0; i < 10; i++) room.receive(`b${i}@dst.test`);
  await room.later(20);
  expect(peer.taken.length).toBe(10);
  expect(room.happened().filter((line) => !line.startsWith('delivery'))).toEqual([]);
});

test('a shutdown finishes what is under way and begins nothing new', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 1 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 100; i++) room.receive(`b${i}@dst.test`);
  await room.later(0.02);
  const closing = room.delivery.close(60_000);
  await room.later(1);
  await closing;
  expect(peer.taken.length).toBeGreaterThan(0);
  expect(peer.taken.length).toBeLessThan(100);
  expect(room.spool.kept.size).toBe(100 - peer.taken.length);
  expect([room.balance, peer.open]).toEqual([0, 0]);
});

test('what an earlier process left comes back with its retries and its time', async () => {
  const before = new MailRoom({ global: { retry_interval: seconds(100) } });
  await before.peer('dst.test', '192.0.2.1', { rcpt: (to) => (to.includes('b') ? '450 4.2.0 later' : '250 ok') });
  before.receive(['b@dst.test', 'c@dst.test']);
  await before.later(1);
  const after = new MailRoom({ global: { retry_interval: seconds(100) } });
  for await (const batch of before.spool.recover()) {
    for (const found of batch) {
      after.spool.kept.set(found.at, {
        envelope: found.envelope,
        traits: found.traits,
        body: [Buffer.from('x\r\n')],
        done: new Set(found.done),
        state: found.state,
      });
      after.queues.readmit(found);
    }
  }
  const peer = await after.peer('dst.test', '192.0.2.1');
  await after.later(90);
  expect(peer.sessions).toBe(0);
  await after.later(15);
  expect(after.happened()).toEqual(['delivery b@dst.test 9 1 250 2.0.0 taken']);
  expect(after.queues.ledger).toMatchObject({ recovered: 1, delivered: 1, difference: 0 });
});

test('LMTP goes to port 2003, greets with LHLO and gives each recipient its own fate', async () => {
  const room = new MailRoom({ global: { delivery_method: 'LMTP', retry_interval: seconds(60) } });
  const peer = await room.peer('dst.test', '192.0.2.1', {
    dot: () => '250 2.1.5 stored\r\n452 4.2.2 full\r\n550 5.2.1 closed',
    rcpt: (to) => (to.includes('nobody') ? '550 5.1.1 who?' : '250 ok'),
  });
  await room.network.listen({ kind: 'tcp', ip: '192.0.2.1', port: 2003 }, { backlog: 1, fileMode: 0 }, peer.accept);
  room.receive(['a@dst.test', 'nobody@dst.test', 'b@dst.test', 'c@dst.test']);
  await room.later(1);
  expect(room.happened()).toEqual([
    'delivery a@dst.test 9 0 250 2.1.5 stored',
    'transient b@dst.test 9 0 452 4.2.2 full',
    'permanent nobody@dst.test 5 0 550 5.1.1 who?',
    'permanent c@dst.test 9 0 550 5.2.1 closed',
  ]);
  expect(room.balance).toBe(0);
});

test('an LMTP session that breaks off in the middle of its replies leaves the others to be tried again', async () => {
  const room = new MailRoom({ global: { delivery_method: 'LMTP', remote_smtp_port: 25, retry_interval: seconds(60) } });
  const peer = await room.peer('dst.test', '192.0.2.1', { dot: () => '250 2.1.5 stored', closesAfterDot: true });
  room.receive(['a@dst.test', 'b@dst.test']);
  await room.later(1);
  expect(room.happened()).toEqual([
    'delivery a@dst.test 9 0 250 2.1.5 stored',
    'transient b@dst.test 9 0 451 4.4.2 [internal] connection closed by remote host',
  ]);
  await room.later(61);
  expect(peer.taken.map((mail) => mail.to)).toEqual([['<a@dst.test>', '<b@dst.test>'], ['<b@dst.test>']]);
  expect(room.balance).toBe(0);
});
