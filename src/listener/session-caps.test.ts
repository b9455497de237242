import { expect, test } from 'vitest';
import { type Client, ListeningHouse } from '../../test/support/listening.ts';

const REFUSAL = '421 4.4.5 Service unavailable, concurrency limit reached.\r\n';

/** Connects until it is refused. @returns those who were served */
async function fill(house: ListeningHouse, to: string, from: string): Promise<Client[]> {
  const served: Client[] = [];
  for (;;) {
    const client = await house.connect(to, from);
    if (client.heard !== 'hello') {
      expect([client.heard, client.state]).toEqual([REFUSAL, 'closed']);
      return served;
    }
    served.push(client);
    if (served.length > 50) throw new Error('there is no cap');
  }
}

const end = async (house: ListeningHouse, clients: readonly Client[]): Promise<void> => {
  for (const client of clients) client.pipe.end();
  await house.world.clock.advance(20);
};

test('over the cap a client is told 421 and closed, with a line in the rejectlog; a closed session makes room', async () => {
  const house = await ListeningHouse.with('ESMTP_Listener { Listener_Sessions = 2 Listen ":25" { } }');
  const served = await fill(house, '10.0.0.1:25', '192.0.2.1');
  expect(served).toHaveLength(2);
  expect(house.recorded).toMatchObject([
    { kind: 'rejection', phase: 'concurrency limit', reply: { code: 421, enhanced: '4.4.5' }, pathway: 'default' },
  ]);
  await end(house, served.slice(0, 1));
  expect(await fill(house, '10.0.0.1:25', '192.0.2.2')).toHaveLength(1);
});

test('0 and no cap at all are no limit', async () => {
  const house = await ListeningHouse.with('ESMTP_Listener { Listener_Sessions = 0 Listen ":25" { } }');
  for (let count = 0; count < 60; count += 1) await house.connect('10.0.0.1:25');
  expect(house.sessions).toHaveLength(60);
});

test('set in the listener it is one budget for all its sockets and everybody', async () => {
  const house = await ListeningHouse.with('ESMTP_Listener { Service_Sessions = 3 Listen ":25" { } Listen ":26" { } }');
  const one = await house.connect('10.0.0.1:26', '192.0.2.7');
  expect(await fill(house, '10.0.0.1:25', '192.0.2.1')).toHaveLength(2);
  await end(house, [one]);
  expect(await fill(house, '10.0.0.1:25', '192.0.2.1')).toHaveLength(1);
});

test('set in a Listen it is of that socket', async () => {
  const house = await ListeningHouse.with(
    'ESMTP_Listener { Listen ":25" { Listener_Sessions = 2 } Listen ":26" { Listener_Sessions = 4 } }',
  );
  expect(await fill(house, '10.0.0.1:25', '192.0.2.1')).toHaveLength(2);
  expect(await fill(house, '10.0.0.1:26', '192.0.2.1')).toHaveLength(4);
});

test('set in a Peer it is of that block, not of each client, and the most specific block counts', async () => {
  const house = await ListeningHouse.with(`ESMTP_Listener {
    Peer "10.0.0.0/8" { Listener_Sessions = 5 }
    Peer "10.1.0.0/16" { Listener_Sessions = 2 }
    Peer "2001:db8::/32" { Listener_Sessions = 3 }
    Listen ":25" { } Listen "[*]:25" { } }`);
  expect(await fill(house, '127.0.0.1:25', '10.1.0.1')).toHaveLength(2);
  // Those two count in the block around theirs as well, which stays a true total.
  const wide = [...(await fill(house, '127.0.0.1:25', '10.2.0.1'))];
  expect(wide).toHaveLength(3);
  expect(await fill(house, '127.0.0.1:25', '10.3.0.1')).toHaveLength(0);
  expect(await fill(house, '[::1]:25', '2001:db8::1')).toHaveLength(3);
  // Nobody set a cap for the others.
  expect((await house.connect('127.0.0.1:25', '192.0.2.1')).heard).toBe('hello');
});

test('who has a cap of its own is not held to the outer one, but is counted in it, however far out it stands', async () => {
  const house = await ListeningHouse.with(`ESMTP_Listener {
    Listener_Sessions = 6
    Peer "10.0.0.0/8" { Listener_Sessions = 3 }
    Listen ":25" { Listener_Sessions = 5  Peer "10.0.0.1" { Listener_Sessions = 4 } }
    Listen ":26" { } }`);
  const nearest = await fill(house, '127.0.0.1:25', '10.0.0.1');
  expect(nearest).toHaveLength(4);
  expect(await fill(house, '127.0.0.1:25', '10.0.0.2')).toHaveLength(0);
  expect(await fill(house, '127.0.0.1:25', '192.0.2.1')).toHaveLength(1);
  expect(await fill(house, '127.0.0.1:26', '192.0.2.1')).toHaveLength(1);
  await end(house, nearest);
  expect(await fill(house, '127.0.0.1:26', '192.0.2.1')).toHaveLength(4);
});

test('set in a pathway it is of that pathway, whichever socket leads to it', async () => {
  const house = await ListeningHouse.with(`Pathway "bulk" { Listener_Sessions = 2 }
    ESMTP_Listener { Listen ":25" { Pathway = bulk } Listen ":26" { Pathway = bulk } Listen ":27" { } }`);
  await house.connect('127.0.0.1:25');
  expect(await fill(house, '127.0.0.1:26', '192.0.2.1')).toHaveLength(1);
  expect(house.recorded).toMatchObject([{ pathway: 'bulk' }]);
  expect((await house.connect('127.0.0.1:27')).heard).toBe('hello');
});

test('both caps hold, each for itself', async () => {
  const house = await ListeningHouse.with(
    'ESMTP_Listener { Service_Sessions = 3 Listen ":25" { Listener_Sessions = 2 } Listen ":26" { Listener_Sessions = 2 } }',
  );
  expect(await fill(house, '127.0.0.1:25', '192.0.2.1')).toHaveLength(2);
  expect(await fill(house, '127.0.0.1:26', '192.0.2.1')).toHaveLength(1);
});

test('clients of a Unix socket and mapped addresses count as loopback and as the IPv4 address', async () => {
  const house = await ListeningHouse.with(`ESMTP_Listener {
    Peer "127.0.0.0/8" { Listener_Sessions = 1 } Peer "::ffff:192.0.2.0/120" { Listener_Sessions = 2 }
    Listen "/s" { } Listen ":25" { } }`);
  expect(await fill(house, '/s', '')).toHaveLength(1);
  expect(await fill(house, '127.0.0.1:25', '192.0.2.77')).toHaveLength(2);
});

test('a cap that is set while sessions are open counts them, and one that is taken away is forgotten', async () => {
  const house = await ListeningHouse.with('ESMTP_Listener { Listen ":25" { } }');
  const open = [1, 2, 3].map(() => house.connectLater('127.0.0.1:25'));
  await house.world.clock.advance(10);
  await house.config('set esmtp_listener listener_sessions 4');
  expect(await fill(house, '127.0.0.1:25', '192.0.2.1')).toHaveLength(1);
  await house.config('unset esmtp_listener listener_sessions');
  expect((await house.connect('127.0.0.1:25')).heard).toBe('hello');
  await house.config('set esmtp_listener listener_sessions 1');
  await end(house, open);
  expect(await fill(house, '127.0.0.1:25', '192.0.2.1')).toHaveLength(0);
});

test('a session that moves to another address is counted there, and learns whether there is room', async () => {
  const house = await ListeningHouse.with(`ESMTP_Listener {
    Peer "10.0.0.0/8" { Listener_Sessions = 1 } Peer "172.16.0.0/12" { Listener_Sessions = 1 } Listen ":25" { } }`);
  await house.connect('127.0.0.1:25', '10.0.0.1');
  const client = await house.connect('127.0.0.1:25', '172.16.0.1');
  const { origin } = house.sessions.at(-1) ?? {};
  expect(origin?.withinCaps()).toBe(true);
  origin?.moved('10.0.0.2');
  expect(origin?.withinCaps()).toBe(false);
  // Its old place is free, and its new one is over the cap by one.
  expect((await house.connect('127.0.0.1:25', '172.16.0.2')).heard).toBe('hello');
  await end(house, [client]);
  origin?.moved('172.16.0.9');
  expect(await fill(house, '127.0.0.1:25', '10.0.0.3')).toHaveLength(0);
});

test('a protocol that has no words for it just closes', async () => {
  const house = await ListeningHouse.with('Control_Listener { Listen "/x" { } }');
  await house.config('set control_listener listen /x listener_sessions 1');
  expect((await house.connect('/x')).heard).toBe('hello');
  const second = await house.connect('/x');
  expect([second.state, second.heard]).toEqual(['closed', '']);
  expect(house.recorded).toEqual([]);
});
