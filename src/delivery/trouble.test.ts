import { expect, test } from 'vitest';
import { domainOf } from '../../test/support/generation.ts';
import { MailRoom } from '../../test/support/mail-room.ts';
import { bindingName, seconds } from '../base/index.ts';
import type { Courier, Pair } from '../queue/index.ts';
import { SpoolError } from '../spool/index.ts';

const pair = (room: MailRoom, domain: string): Pair => {
  const found = room.queues.find(bindingName('default'), domainOf(domain));
  if (found === undefined) throw new Error(`no queue for ${domain}`);
  return found;
};

const receive = (room: MailRoom, count: number, domain = 'dst.test'): void => {
  for (let i = 0; i < count; i++) room.receive(`b${i}@${domain}`);
};

test('a peer that says goodbye together with its greeting is left alone for a while, and one message is charged', async () => {
  const room = new MailRoom();
  const peer = await room.peer('dst.test', '192.0.2.1', { ehlo: ['peer.test\r\n421 4.3.2 too busy'] });
  receive(room, 3);
  await room.later(100);
  expect(peer.sessions).toBeLessThan(4);
  expect(room.happened()).toEqual([
    'transient b0@dst.test 1 0 421 4.4.0 [internal] no mail servers for this domain could be reached at this time',
  ]);
  peer.script = {};
  await room.later(30);
  expect(room.happened().length).toBe(2);
});

test('host_failure_retry = 0 does not make a dead host be tried without end', async () => {
  const room = new MailRoom({ global: { host_failure_retry: seconds(0), mx_failures_to_delay: 0 } });
  const peer = await room.peer('dst.test', '192.0.2.1', { banner: '' });
  receive(room, 100);
  await room.later(20);
  expect(peer.sessions).toBeLessThan(60);
});

test('retry_interval = 0 does not make a message be tried without end', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(0) } });
  let tries = 0;
  await room.peer('dst.test', '192.0.2.1', {
    rcpt: () => {
      tries++;
      return '450 4.2.0 later';
    },
  });
  receive(room, 1);
  await room.later(10);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(20);
});

test('while nobody answers one connection at a time finds out, and the first session brings the others', async () => {
  const room = new MailRoom({ global: { host_failure_retry: seconds(10) } });
  const peer = await room.peer('dst.test', '192.0.2.1', { banner: '' });
  receive(room, 1000);
  await room.later(1);
  const burst = peer.sessions;
  await room.later(50);
  expect(peer.sessions - burst).toBeLessThan(7);
  peer.script = { dot: () => undefined };
  await room.later(15);
  expect(peer.open).toBeGreaterThan(20);
});

test('mx_failures_to_delay counts each host: one burst of refusals does not delay the queue', async () => {
  const room = new MailRoom({ global: { mx_failures_to_delay: 5, connect_timeout_to_delay: seconds(0) } });
  room.mx('dst.test', [
    [10, 'mx1.dst.test', '192.0.2.1'],
    [10, 'mx2.dst.test', '192.0.2.2'],
  ]);
  receive(room, 8);
  await room.later(250);
  expect(pair(room, 'dst.test').active).toBeGreaterThan(0);
  await room.later(400);
  expect(pair(room, 'dst.test')).toMatchObject({ active: 0, delayed: 8 });
  expect(room.happened().at(-1)).toContain('451 4.4.1 [internal] No valid hosts (unable to make any connections)');
});

test('a connection that is refused while others deliver never delays the queue', async () => {
  const room = new MailRoom({
    global: { max_outbound_connections: 3, host_failure_retry: seconds(5), connect_timeout_to_delay: seconds(60) },
  });
  const peer = await room.peer('dst.test', '192.0.2.1');
  for (let i = 0; i < 40; i++) {
    peer.script = { ...peer.script, banner: peer.open > 1 ? '421 4.7.0 too many connections' : '220 peer.test' };
    receive(room, 3);
    await room.later(5);
  }
  expect(room.happened().filter((line) => line.includes('[internal]'))).toEqual([]);
});

test('a session that ends without an answer after it has delivered costs the next message nothing', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 1, idle_timeout: seconds(60) } });
  let first = true;
  const peer = await room.peer('dst.test', '192.0.2.1', {
    mail: () => {
      if (peer.taken.length === 1 && first) {
        first = false;
        return '';
      }
      return '250 ok';
    },
  });
  receive(room, 1);
  await room.later(5);
  receive(room, 1);
  await room.later(5);
  expect(room.happened().filter((line) => !line.startsWith('delivery'))).toEqual([]);
  expect([peer.taken.length, peer.sessions]).toEqual([2, 2]);
});

test('a body that cannot be held is tried again later, is told of, and stops nobody else', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(60), max_outbound_connections: 1 } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  const hold = room.spool.hold.bind(room.spool);
  let lost = true;
  room.spool.hold = (at) => {
    if (lost && at === (1 as never)) throw new SpoolError('IMP_SPOOL_READ', 'no such file');
    return hold(at);
  };
  receive(room, 3);
  await room.later(1);
  expect(peer.taken.length).toBe(2);
  expect(room.happened()[0]).toBe('transient b0@dst.test 8 0 451 4.3.0 [internal] message body cannot be read');
  expect(room.complaints.length).toBe(1);
  expect(room.complaints[0]).toContain('no such file');
  lost = false;
  await room.later(61);
  expect(peer.taken.length).toBe(3);
  expect([room.balance, room.spool.held]).toEqual([0, 0]);
});

test('a body that breaks off in the middle is never seen as a whole message', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(60) } });
  const peer = await room.peer('dst.test', '192.0.2.1');
  room.spool.slow = true;
  const hold = room.spool.hold.bind(room.spool);
  let broken = true;
  room.spool.hold = (at) => {
    const real = hold(at);
    if (!broken) return real;
    let slices = 0;
    return Object.assign(Object.create(real) as typeof real, {
      next: () => (slices++ === 0 ? real.next(10) : Promise.reject(new SpoolError('IMP_SPOOL_READ', 'damaged'))),
      [Symbol.dispose]: () => real[Symbol.dispose](),
    });
  };
  receive(room, 1);
  await room.later(1);
  expect(peer.taken).toEqual([]);
  expect(room.happened()).toEqual(['transient b0@dst.test 8 0 451 4.3.0 [internal] message body cannot be read']);
  expect(room.complaints[0]).toContain('damaged');
  broken = false;
  await room.later(61);
  expect([peer.taken.length, room.spool.held, room.balance]).toEqual([1, 0, 0]);
});

test('an undertaker that breaks down loses nobody: the failed come again', async () => {
  const room = new MailRoom();
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => '550 5.1.1 no' });
  room.burialThrows = true;
  room.receive(['b@dst.test', 'c@dst.test']);
  await room.later(1);
  expect(room.queues.ledger).toMatchObject({ queued: 2, failed: 0, difference: 0 });
  expect(room.complaints[0]).toContain('no undertaker');
  room.burialThrows = false;
  await room.later(61);
  expect(room.happened()).toEqual(['permanent b@dst.test 5 0 550 5.1.1 no', 'permanent c@dst.test 5 0 550 5.1.1 no']);
  expect(room.balance).toBe(0);
});

test('a state that cannot be written keeps no other from being written', async () => {
  const room = new MailRoom();
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => '450 4.2.0 later' });
  const amend = room.spool.amend.bind(room.spool);
  room.spool.amend = (at, state) => {
    if (at === (1 as never)) throw new Error('names no live reception');
    amend(at, state);
  };
  receive(room, 2);
  await room.later(2);
  receive(room, 1);
  await room.later(2);
  expect([...room.spool.kept.values()].map((kept) => kept.state !== undefined)).toEqual([false, true, true]);
  expect(room.complaints[0]).toContain('names no live reception');
});

test('a queue that cannot be served takes no other with it, and is tried again', async () => {
  const room = new MailRoom();
  const peer = await room.peer('good.test', '192.0.2.1');
  let trouble = true;
  const courier: Courier = {
    serve: (queue) => {
      if (trouble && queue.domain === 'bad.test') throw new Error('a bug');
      room.delivery.serve(queue);
    },
  };
  room.queues.workWith(courier);
  room.receive(['a@bad.test', 'a@good.test']);
  await room.later(1);
  expect(peer.taken.length).toBe(1);
  expect(room.complaints).toEqual(['bad.test/default: cannot be served, tried again in a minute: a bug']);
  trouble = false;
  const other = await room.peer('bad.test', '192.0.2.2');
  await room.later(61);
  expect(other.taken.length).toBe(1);
});

test('a place is given back when the connection has closed, not when we have stopped to talk', async () => {
  const room = new MailRoom({ global: { max_outbound_connections: 1, max_deliveries_per_connection: 1 } });
  room.network.settings.latencyMillis = [1, 400];
  const peer = await room.peer('dst.test', '192.0.2.1', { quit: () => undefined });
  receive(room, 20);
  await room.later(300);
  expect([peer.taken.length, peer.sessions, peer.mostOpen]).toEqual([20, 20, 1]);
});

test.each([1, 2, 3, 4, 5])(
  'no session delivers more than max_deliveries_per_connection = %i, whatever is pipelined',
  async (most) => {
    const room = new MailRoom({ global: { max_deliveries_per_connection: most, max_outbound_connections: 1 } });
    const peer = await room.peer('dst.test', '192.0.2.1');
    let inSession = 0;
    let session = 0;
    let largest = 0;
    peer.script = {
      rcpt: () => {
        if (peer.sessions !== session) inSession = 0;
        session = peer.sessions;
        largest = Math.max(largest, ++inSession);
        return '250 ok';
      },
    };
    for (let i = 0; i < 10; i++) room.receive([`a${i}@dst.test`, `b${i}@dst.test`, `c${i}@dst.test`]);
    await room.later(60);
    expect(room.queues.ledger).toMatchObject({ delivered: 30, queued: 0 });
    expect(largest).toBe(most);
  },
);

test('recipients are logged in their order, and stay together when they come again', async () => {
  const room = new MailRoom({ global: { retry_interval: seconds(60), max_outbound_connections: 1 } });
  const peer = await room.peer('dst.test', '192.0.2.1', { dot: () => '451 4.3.0 later' });
  const to = (letter: string): string[] => Array.from({ length: 9 }, (_, i) => `${letter}${i}@dst.test`);
  for (const letter of ['a', 'b', 'c', 'd', 'e']) room.receive(to(letter));
  await room.later(1);
  const lines = room.happened().map((line) => line.split(' ')[1]);
  expect(lines).toEqual(['a', 'b', 'c', 'd', 'e'].flatMap(to));
  peer.script = {};
  await room.later(70);
  expect(peer.taken.map((mail) => mail.to.length)).toEqual([9, 9, 9, 9, 9]);
  expect(peer.taken.flatMap((mail) => mail.to)).toEqual(
    ['a', 'b', 'c', 'd', 'e'].flatMap(to).map((path) => `<${path}>`),
  );
});

test('what failed in the last turn before a shutdown still gets its bounce', async () => {
  const room = new MailRoom();
  await room.peer('dst.test', '192.0.2.1', { rcpt: () => '550 5.1.1 no' });
  room.receive('b@dst.test');
  const closing = room.delivery.close(60_000).then(() => {
    room.queues.buryAll();
    return room.buried.length;
  });
  await room.later(0);
  expect(await closing).toBe(0);
  const again = new MailRoom();
  await again.peer('dst.test', '192.0.2.1', { rcpt: () => '550 5.1.1 no' });
  again.receive('b@dst.test');
  await again.later(0.008);
  const closed = again.delivery.close(60_000).then(() => {
    again.queues.buryAll();
    return again.buried.length;
  });
  await again.later(1);
  expect(await closed).toBe(1);
});

test.each(['EMFILE', 'EADDRNOTAVAIL'])(
  '%s is our own trouble: no host is blamed, no message charged, an operator told once',
  async (code) => {
    const room = new MailRoom();
    const peer = await room.peer('dst.test', '192.0.2.1');
    room.network.refuse('192.0.2.1:25', code);
    receive(room, 50);
    for (let i = 0; i < 20; i++) {
      await room.later(15);
      receive(room, 1);
    }
    expect(room.happened()).toEqual([]);
    expect(room.complaints.length).toBe(1);
    expect(room.complaints[0]).toContain(code);
    room.network.heal('192.0.2.1:25');
    await room.later(11);
    expect(peer.taken.length).toBe(70);
  },
);
