import { describe, expect, test } from 'vitest';
import { inSeconds, seconds } from '../../src/base/index.ts';
import { reply } from '../../src/smtp/index.ts';
import { SimDisk, SimWeb, simWorld } from '../../src/world/sim/index.ts';
import { OPEN, type Values } from '../dialogues/mail-in.ts';
import { MailRoom } from '../support/mail-room.ts';
import { StreamHouse } from './house.ts';
import { StreamPeer } from './stream-peer.ts';

const GATEWAY = { gateway: '10.0.0.1', delivery_method: 'ECSTREAM' };

/** One server that delivers by ECStream, and one that receives. */
async function chain(
  receiving: Values = OPEN,
  sending: Readonly<Record<string, unknown>> = {},
): Promise<{ room: MailRoom; house: StreamHouse }> {
  const room = new MailRoom({ global: { ...GATEWAY, ...sending } });
  const { clock, chance, network } = room;
  const world = { ...simWorld(), clock, chance, network, disk: new SimDisk(clock, chance), web: new SimWeb() };
  return { room, house: await StreamHouse.with(receiving, world) };
}

const subjects = (house: StreamHouse): string[] =>
  house.spool.kept.map(({ body }) => /Subject: (\S+)/.exec(body)?.[1] ?? '');

test('messages go over one connection to ecstream_port of the gateway, whatever their domains are', async () => {
  const { room, house } = await chain();
  for (let n = 0; n < 500; n++) room.receive(`u${n}@d${n % 7}.test`, `Subject: ${n}\r\n\r\nhello\r\n`);
  await room.later(5);
  expect(subjects(house).toSorted()).toEqual(Array.from({ length: 500 }, (_, n) => String(n)).toSorted());
  expect(house.spool.kept[0]?.envelope).toMatchObject({ protocol: 'ecstream', reversePath: 'a@src.test' });
  const happened = room.happened();
  expect(happened).toHaveLength(500);
  expect(happened[0]).toMatch(/^delivery u0@d0\.test 9 0 250 2\.0\.0 OK [0-9A-F/-]{20}$/);
  expect(room.spool.kept.size).toBe(0);
  expect(room.spool.held).toBe(0);
  expect(room.balance).toBe(0);
});

test('each recipient has the fate that the peer gives it', async () => {
  const { room, house } = await chain({ relay_domains: ['y.test'] });
  room.receive(['a@y.test', 'b@z.test', 'c@y.test']);
  room.receive(['x@z.test']);
  house.policy.hook('validate_rcptto', 'test', ({ recipient }) =>
    recipient === 'c@y.test' ? { kind: 'soft', reply: reply(450, '4.2.0', 'later') } : { kind: 'continue' },
  );
  await room.later(5);
  expect(room.happened().toSorted()).toEqual([
    expect.stringMatching(/^delivery a@y\.test 9 0 250/),
    'permanent b@z.test 5 0 550 5.7.1 relaying denied',
    'permanent x@z.test 9 0 550 5.7.1 relaying denied',
    'transient c@y.test 5 0 450 4.2.0 later',
  ]);
  expect(room.balance).toBe(0);
});

test('a body from the disk, longer than a frame and than the window, arrives as it was', async () => {
  const { room, house } = await chain(OPEN, { delivery_response_timeout: 60_000 });
  room.spool.slow = true;
  const body = `Subject: long\r\n\r\n${'.0123456789abcdef\r\n'.repeat(1_000_000)}`;
  room.receive('a@y.test', body, { dots: true, lone: false });
  await room.later(60);
  expect(house.spool.kept[0]?.body.endsWith(body)).toBe(true);
  expect(house.spool.kept[0]?.traits).toEqual({ dots: true, lone: false });
});

test('a message beyond what the peer takes is not sent', async () => {
  const { room, house } = await chain({ ...OPEN, max_message_size: '1000' });
  room.receive('a@y.test', `Subject: x\r\n\r\n${'x'.repeat(2000)}\r\n`);
  await room.later(5);
  expect(room.happened()).toEqual(['permanent a@y.test 2 0 552 5.3.4 [internal] message size exceeds remote limit']);
  expect(house.spool.kept).toEqual([]);
});

test('without a gateway mail waits, and its log says why', async () => {
  const room = new MailRoom({ global: { delivery_method: 'ECSTREAM' } });
  room.receive('a@y.test');
  await room.later(5);
  expect(room.happened()).toEqual([
    'transient a@y.test 22 0 451 4.4.0 [internal] delivery_method ECSTREAM needs a Gateway',
  ]);
});

test('a gateway of one domain is enough, and the stanza of its address says how it is spoken to', async () => {
  const domains = { 'y.test': { gateway: '10.0.0.1' }, '10.0.0.1': { delivery_method: 'ECSTREAM' } };
  const room = new MailRoom({ domains });
  const peer = await StreamPeer.at(room);
  room.receive('a@y.test');
  await room.later(5);
  expect(room.happened()).toEqual(['delivery a@y.test 9 0 250 2.0.0 OK id1']);
  expect(peer.taken).toHaveLength(1);
});

describe('a lost connection', () => {
  test('is a try for what was under way, and the peer takes nothing twice', async () => {
    const { room, house } = await chain(OPEN, { retry_interval: seconds(60) });
    for (let n = 0; n < 300; n++) room.receive(`u${n}@y.test`, `Subject: ${n}\r\n\r\nhello\r\n`);
    for (let round = 0; round < 10; round++) {
      await room.clock.advance(4 + (round % 5));
      for (const pipe of room.network.pipes) room.network.reset(pipe);
      await room.later(70);
    }
    await room.later(3600);
    expect(room.spool.kept.size).toBe(0);
    expect(subjects(house).toSorted()).toEqual(Array.from({ length: 300 }, (_, n) => String(n)).toSorted());
    expect(
      room.happened().some((line) => / 451 4\.4\.2 \[internal\] connection closed by remote host$/.test(line)),
    ).toBe(true);
    expect(room.balance).toBe(0);
  });

  test('and a peer that was killed: what it had on disk is not taken again when it is back', async () => {
    const { room, house } = await chain(OPEN, { retry_interval: seconds(60) });
    for (let n = 0; n < 300; n++) room.receive(`u${n}@y.test`, `Subject: ${n}\r\n\r\nhello\r\n`);
    for (let life = 0; life < 5; life++) {
      await room.clock.advance(4 + life);
      await house.crash();
      await house.open(house.spool.kept.map(({ envelope }) => envelope));
      await room.later(70);
    }
    await room.later(3600);
    expect(room.spool.kept.size).toBe(0);
    expect(subjects(house).toSorted()).toEqual(Array.from({ length: 300 }, (_, n) => String(n)).toSorted());
  });
});

test('a peer that sends everybody away for a new configuration costs nobody a try', async () => {
  const { room, house } = await chain();
  for (let n = 0; n < 2000; n++) room.receive(`u${n}@y.test`, `Subject: ${n}\r\n\r\nhello\r\n`);
  await room.clock.advance(8);
  house.commit({ ...OPEN, max_message_size: '100000' });
  await room.later(30);
  const happened = room.happened();
  expect(happened.filter((line) => !line.startsWith('delivery'))).toEqual([]);
  expect(happened).toHaveLength(2000);
  expect(new Set(subjects(house)).size).toBe(2000);
});

test('a peer that never answers is given up after delivery_response_timeout, one that never welcomes after ecstream_timeout', async () => {
  const { room, house } = await chain(OPEN, { delivery_response_timeout: 5000, retry_interval: seconds(3600) });
  house.policy.hook('validate_data', 'test', () => new Promise<never>(() => undefined));
  room.receive('a@y.test');
  await room.later(4);
  expect(room.happened()).toEqual([]);
  await room.later(3);
  expect(room.happened()).toEqual(['transient a@y.test 9 0 451 4.4.2 [internal] no BODY response']);

  const other = new MailRoom({ global: { ...GATEWAY, ecstream_timeout: seconds(20) } });
  let closed = 0;
  await other.network.listen({ kind: 'tcp', ip: '10.0.0.1', port: 1825 }, { backlog: 1, fileMode: 0 }, () => ({
    data: () => undefined,
    drained: () => undefined,
    closed: () => void (closed += 1),
  }));
  other.receive('a@y.test');
  await other.later(19);
  expect(closed).toBe(0);
  await other.later(2);
  expect(closed).toBe(1);
  expect(inSeconds(other.clock.now())).toBeGreaterThan(20);
});

test('max_deliveries_per_connection and idle_timeout end the connection in order', async () => {
  const { room, house } = await chain(OPEN, { max_deliveries_per_connection: 10 });
  for (let n = 0; n < 35; n++) room.receive(`u${n}@y.test`, `Subject: ${n}\r\n\r\nhello\r\n`);
  await room.later(5);
  expect(room.happened()).toHaveLength(35);
  const perConnection = Map.groupBy(house.spool.kept, ({ envelope }) => envelope.connectionId);
  for (const messages of perConnection.values()) expect(messages.length).toBeLessThanOrEqual(10);
  await room.later(600);
  expect(house.reception.sessions).toBe(0);
  expect(room.delivery.outboundConcurrency).toBe(0);
});
