import { describe, expect, test } from 'vitest';
import { millis, seconds } from '../../src/base/index.ts';
import type { AttemptEvent } from '../../src/events/index.ts';
import { reply } from '../../src/smtp/index.ts';
import type { TlsContext } from '../../src/world/index.ts';
import { type SimCertificate, SimTls, simIdentity } from '../../src/world/sim/index.ts';
import { MailRoom } from '../support/mail-room.ts';
import { plain } from '../support/tls-ground.ts';
import { StreamPeer, type StreamScript } from './stream-peer.ts';

const GATEWAY = { gateway: '10.0.0.1', delivery_method: 'ECSTREAM', retry_interval: seconds(3600) };

async function scene(options: Readonly<Record<string, unknown>> = {}, script: StreamScript = {}) {
  const room = new MailRoom({ global: { ...GATEWAY, ...options } });
  return { room, peer: await StreamPeer.at(room, script) };
}

describe('a peer that', () => {
  test('refuses a message while its next part is read from the disk gets the next message', async () => {
    const { room, peer } = await scene(
      {},
      {
        hear(event, machine) {
          if (event.kind === 'message' && event.seq === 1) machine.refuse(1, reply(552, '5.3.4', 'too much'));
          return (event.kind === 'message' || event.kind === 'body') && event.seq === 1;
        },
      },
    );
    const hold = room.spool.hold.bind(room.spool);
    let read: (() => void) | undefined;
    room.spool.hold = (at) => {
      const made = hold(at);
      if (at !== 1) return made;
      const slice = Buffer.alloc(1000, 'x');
      let given = 0;
      const late = new Promise<Uint8Array[]>((resolve) => {
        read = () => resolve([slice]);
      });
      return { ...made, length: 2000, next: () => (given++ === 0 ? [slice] : given === 2 ? late : undefined) };
    };
    room.receive('big@y.test');
    room.receive('small@y.test', 'Subject: small\r\n\r\nhello\r\n');
    await room.later(2);
    read?.();
    await room.later(2);
    expect(room.happened()).toEqual([
      'permanent big@y.test 9 0 552 5.3.4 too much',
      'delivery small@y.test 9 0 250 2.0.0 OK id2',
    ]);
    expect(peer.sessions).toBe(1);
    expect(room.balance).toBe(0);
  });

  test('opens its window never is out of reach after ecstream_timeout: a message is charged, others are tried', async () => {
    const { room, peer } = await scene({ ecstream_timeout: seconds(60) }, { window: [0, 0] });
    room.receive('a@y.test');
    await room.later(59);
    expect(room.happened()).toEqual([]);
    await room.later(3);
    expect(room.happened()).toEqual([
      'transient a@y.test 12 0 421 4.4.0 [internal] no mail servers for this domain could be reached at this time',
    ]);
    expect(peer.sessions).toBe(1);
    expect(room.delivery.outboundConcurrency).toBe(0);
  });

  test('hangs up before a body is ready is not called again at once, nor for ever', async () => {
    const { room, peer } = await scene({}, { hangsUp: true });
    const hold = room.spool.hold.bind(room.spool);
    room.spool.hold = (at) => {
      const made = hold(at);
      const later = (): Promise<Uint8Array[]> =>
        new Promise((given) => room.clock.at(millis(room.clock.now() + 1000), () => given([Buffer.from('\0\n\xff')])));
      return { ...made, next: later };
    };
    const body = 'Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\xff';
    room.receiveAs('a@y.test', body, { dots: false, lone: true, eightBit: true }, (envelope) => ({
      ...envelope,
      requests: { body: 'BINARYMIME' },
    }));
    await room.later(20);
    expect(room.happened()).toEqual([expect.stringMatching(/^transient a@y\.test \d+ 0 451 4\.4\.2 /)]);
    expect([peer.sessions, room.balance]).toEqual([1, 0]);
  });

  test('opens its window late gets its mail then', async () => {
    const { room, peer } = await scene({ ecstream_timeout: seconds(60) }, { window: [0, 0] });
    room.receive('a@y.test');
    await room.later(50);
    peer.machines[0]?.window(10, 1_000_000);
    peer.say();
    await room.later(1);
    expect(room.happened()).toEqual(['delivery a@y.test 9 0 250 2.0.0 OK id1']);
  });

  test('shuts its window and does not open it again is left after ecstream_timeout, and nothing is charged', async () => {
    const { room, peer } = await scene({ ecstream_timeout: seconds(60), idle_timeout: seconds(3000) });
    room.receive('a@y.test');
    await room.later(1);
    peer.machines[0]?.window(0, 0);
    peer.say();
    await room.later(1);
    room.receive('b@y.test');
    await room.later(57);
    expect([peer.sessions, room.happened()]).toEqual([1, ['delivery a@y.test 9 0 250 2.0.0 OK id1']]);
    await room.later(10);
    expect([peer.sessions, room.happened()]).toEqual([2, ['delivery b@y.test 9 0 250 2.0.0 OK id1']]);
  });

  test('stops reading in the middle of a body is given up after body_timeout', async () => {
    const { room } = await scene({ body_timeout: seconds(100) }, { readsUpTo: 100_000 });
    const hold = room.spool.hold.bind(room.spool);
    room.spool.hold = (at) => {
      let left = 100;
      const next = () => (left-- > 0 ? [Buffer.alloc(65_536, 'x')] : undefined);
      return { ...hold(at), length: 6_553_600, next };
    };
    room.receive('a@y.test');
    await room.later(99);
    expect(room.happened()).toEqual([]);
    await room.later(5);
    expect(room.happened()).toEqual(['transient a@y.test 8 0 451 4.4.2 [internal] no BODY response']);
    expect(room.balance).toBe(0);
  });

  test('talks about all but the message is given up after delivery_response_timeout', async () => {
    const { room, peer } = await scene(
      { delivery_response_timeout: 5000 },
      { hear: (event) => event.kind === 'message' || event.kind === 'body' },
    );
    room.receive('a@y.test');
    for (let n = 0; n < 8; n++) {
      await room.later(1);
      peer.machines[0]?.window(200 + n, 1_000_000);
      peer.say();
    }
    expect(room.happened()).toEqual(['transient a@y.test 9 0 451 4.4.2 [internal] no BODY response']);
  });

  test('names no limit gets no more recipients at once than a frame can hold', async () => {
    const { room, peer } = await scene({ max_recipients_per_batch: 100_000 }, { settings: { maxRecipients: 0 } });
    const long = 'x'.repeat(60);
    room.receive(Array.from({ length: 5000 }, (_, n) => `${long}${n % 1000}@${'d'.repeat(60)}.${'e'.repeat(60)}.test`));
    await room.later(20);
    expect(room.happened().filter((line) => !line.startsWith('delivery'))).toEqual([]);
    expect(peer.taken.map(({ to }) => to.length).reduce((sum, each) => sum + each, 0)).toBe(5000);
    expect(Math.max(...peer.taken.map(({ to }) => to.length))).toBeLessThanOrEqual(2016);
  });

  test('takes frames of next to no length is no peer', async () => {
    const { room } = await scene({}, { settings: { maxFrame: 100 } });
    room.receive('a@y.test');
    await room.later(5);
    expect(room.happened()).toEqual([expect.stringMatching(/^transient a@y\.test 12 0 421 4\.4\.0 /)]);
    expect(room.complaints).toEqual([expect.stringMatching(/10\.0\.0\.1: \[internal\] frames of 100 bytes/)]);
  });
});

test('a server that stops sends what is under way, and does not wait for what it held for want of room', async () => {
  const { room, peer } = await scene(
    { delivery_response_timeout: 600_000 },
    { hear: (event) => event.kind === 'message', settings: { windowBytes: 2000 } },
  );
  for (let n = 0; n < 3; n++) room.receive(`u${n}@y.test`, `Subject: ${n}\r\n\r\n${'x'.repeat(1000)}\r\n`);
  await room.later(1);
  let closed = false;
  void room.delivery.close(30_000).then(() => {
    closed = true;
  });
  await room.later(1);
  expect([closed, peer.machines[0]?.outstanding]).toEqual([false, 1]);
  peer.machines[0]?.accept(1, 'id1');
  peer.machines[0]?.acknowledge();
  peer.say();
  await room.later(1);
  expect(closed).toBe(true);
  expect(room.happened()).toEqual(['delivery u0@y.test 9 0 250 2.0.0 OK id1']);
  expect(room.spool.held).toBe(0);
  expect(room.balance).toBe(0);
});

test('binary content goes as text, since a body has no other line ends than CRLF, or fails', async () => {
  const { room, peer } = await scene();
  const binary = (to: string, body: string): void =>
    void room.receiveAs(to, body, { dots: false, lone: true, eightBit: true }, (envelope) => ({
      ...envelope,
      requests: { body: 'BINARYMIME' },
    }));
  binary('a@y.test', 'Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\xff');
  binary(
    'b@y.test',
    'Content-Type: multipart/signed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\n\r\n\0\r\n--b--\r\n',
  );
  room.receive('c@y.test', 'Subject: \xfc\r\n\r\nb\xe9\r\n', { dots: false, lone: false, eightBit: true });
  await room.later(2);
  expect(room.happened().toSorted()).toEqual([
    expect.stringMatching(/^delivery a@y\.test 9 0 250/),
    expect.stringMatching(/^delivery c@y\.test 9 0 250/),
    expect.stringMatching(/^permanent b@y\.test 2 0 554 5\.6\.3/),
  ]);
  expect(peer.taken.map(({ to, body }) => `${to}: ${body}`).toSorted()).toEqual([
    'a@y.test: Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nAAr/',
    // 8-bit text goes as it is, with its flag.
    'c@y.test: Subject: \xfc\r\n\r\nb\xe9\r\n',
  ]);
  expect(room.spool.held).toBe(0);
});

test('a body that has to be converted and comes from the disk keeps nobody else waiting for ever', async () => {
  const { room } = await scene();
  room.spool.slow = true;
  for (let n = 0; n < 5; n++)
    room.receiveAs(
      `u${n}@y.test`,
      'Content-Transfer-Encoding: binary\r\n\r\n\0\n\xff',
      { dots: false, lone: true, eightBit: true },
      (envelope) => (n % 2 === 0 ? { ...envelope, requests: { body: 'BINARYMIME' } } : envelope),
    );
  await room.later(2);
  expect(room.happened()).toHaveLength(5);
  expect(room.balance).toBe(0);
});

const simTls = new SimTls();
const contextOf = (certificate: SimCertificate): TlsContext =>
  simTls.context({ ...plain, identities: [simIdentity(certificate)] });
const signed: SimCertificate = { commonName: 'relay', names: ['relay.test'], issuer: 'Root' };
const ROOT = simIdentity({ commonName: 'Root' }).chain;

describe('TLS from the first byte', () => {
  const secure = async (options: Readonly<Record<string, unknown>>, script: StreamScript) => {
    const made = await scene({ gateway: 'relay.test', ...options }, script);
    made.room.mx('relay.test', [[10, 'relay.test', '10.0.0.1']]);
    made.room.files.set('/ca.pem', ROOT);
    await made.room.tls.files.read('/ca.pem');
    return made;
  };
  const deliver = async ({ room }: { room: MailRoom }): Promise<string[]> => {
    room.receive('a@y.test');
    await room.later(5);
    return room.happened();
  };
  const DELIVERED = ['delivery a@y.test 9 0 250 2.0.0 OK id1'];

  test('with tls = required mail goes encrypted, and its log knows how', async () => {
    const made = await secure({ tls: 'required' }, { tls: contextOf(signed) });
    made.room.receive('a@y.test');
    await made.room.later(5);
    const [event] = made.room.recorded as AttemptEvent[];
    expect(event).toMatchObject({
      kind: 'delivery',
      tls: { type: 'required', session: { protocol: 'TLSv1.3', verified: false } },
    });
    expect(made.peer.facts).toHaveLength(1);
    expect(made.peer.taken).toHaveLength(1);
  });

  test('and with tls_verify to nobody who is not who it should be', async () => {
    const verify = { tls: 'required', tls_verify: 'host', tls_ca: '/ca.pem' };
    expect(await deliver(await secure(verify, { tls: contextOf(signed) }))).toEqual(DELIVERED);
    expect(await deliver(await secure(verify, { tls: contextOf({ ...signed, names: ['other.test'] }) }))).toEqual([
      'transient a@y.test 17 0 451 4.7.5 [internal] SSL certificate subject does not match host',
    ]);
    // Not even with `ifavailable` is it a reason for clear text.
    const unsigned: SimCertificate = { commonName: 'relay', names: ['relay.test'] };
    const made = await secure({ ...verify, tls: 'ifavailable' }, { tls: contextOf(unsigned) });
    expect(await deliver(made)).toEqual([
      'transient a@y.test 17 0 451 4.7.5 [internal] remote node SSL certificate not signed by a valid CA',
    ]);
    expect(made.peer.taken).toEqual([]);
  });

  test('tls = required never becomes clear text: where the port speaks none, mail waits', async () => {
    const made = await secure({ tls: 'required' }, {});
    expect(await deliver(made)).toEqual(['transient a@y.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
    expect(made.peer.taken).toEqual([]);
    expect(made.room.balance).toBe(0);
  });

  test('tls = ifavailable tries it, and where there is none the next connection is in clear, at once and uncharged', async () => {
    const encrypted = await secure({ tls: 'ifavailable' }, { tls: contextOf(signed) });
    expect(await deliver(encrypted)).toEqual(DELIVERED);
    expect([encrypted.peer.facts.length, encrypted.peer.sessions]).toEqual([1, 1]);
    const clear = await secure({ tls: 'ifavailable' }, {});
    expect(await deliver(clear)).toEqual(DELIVERED);
    expect([clear.peer.facts.length, clear.peer.sessions]).toEqual([0, 2]);
    const strict = await secure({ tls: 'ifavailable', tls_ifavailable_fallback: false }, {});
    expect(await deliver(strict)).toEqual(['transient a@y.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
  });

  test('a peer that never ends the handshake is left after ecstream_timeout', async () => {
    const made = await secure({ tls: 'required', ecstream_timeout: seconds(20) }, { tls: contextOf(signed) });
    made.room.network.breakTls('10.0.0.1:1825', 'silent');
    made.room.receive('a@y.test');
    await made.room.later(19);
    expect(made.room.happened()).toEqual([]);
    await made.room.later(3);
    expect(made.room.happened()).toEqual(['transient a@y.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
  });

  test('a certificate of ours that cannot be read is no reason for clear text', async () => {
    const made = await secure({ tls: 'required', tls_certificate: '/none.pem' }, { tls: contextOf(signed) });
    expect(await deliver(made)).toEqual(['transient a@y.test 17 0 451 4.7.5 [internal] TLS negotiation failed']);
  });

  test('tls = no is clear text', async () => {
    const made = await secure({ tls: 'no' }, {});
    expect(await deliver(made)).toEqual(DELIVERED);
    expect([made.peer.facts.length, made.peer.sessions]).toEqual([0, 1]);
  });
});
