import { expect, test } from 'vitest';
import { generationOf, viewOf } from '../../test/dialogues/mail-in.ts';
import { bytes, End, plain } from '../../test/support/tls-ground.ts';
import { paniclog, unchanging } from '../../test/support/unchanging.ts';
import type { Endpoint } from '../base/index.ts';
import type { Origin } from '../reception/index.ts';
import type { Pipe, PipeHost, TlsContext } from '../world/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { HANDSHAKE_MILLIS } from './antechamber.ts';
import { listeners } from './listeners.ts';

const at: Endpoint = { kind: 'tcp', ip: '192.0.2.1', port: 465 };

/** A listener with Use_SSL, whose handler says hello and gives back what it hears. */
async function house(certificate = true, broken = false, more: Readonly<Record<string, string>> = {}) {
  const world = simWorld(7, { oddChunks: true });
  const context = world.tls.context({ ...plain, identities: [world.tls.selfSigned('mx.test')] });
  const values = { use_ssl: 'true', listener_sessions: '1', ...more };
  const listens = [
    {
      listener: 'esmtp_listener' as const,
      endpoint: at,
      place: { file: 'f', line: 1, column: 1 },
      view: viewOf(values, 1),
    },
  ];
  const failed: string[] = [];
  const lines: string[] = [];
  const served: Origin[] = [];
  let gone = 0;
  const doors = listeners({
    network: world.network,
    clock: world.clock,
    configuration: unchanging(generationOf(values, 1, listens)),
    events: paniclog(lines),
    tls: {
      server: (): TlsContext | undefined => (certificate ? context : undefined),
      failed: (_peer, why) => void failed.push(why),
    },
    handlers: {
      esmtp_listener: (pipe: Pipe, origin: Origin): PipeHost => {
        if (broken) throw new Error('a bug');
        served.push(origin);
        pipe.write(bytes('hello '));
        return {
          data: (chunk) => pipe.write([chunk]),
          drained: () => undefined,
          closed: () => {
            gone += 1;
            origin.ended();
          },
        };
      },
      control_listener: () => new End(),
    },
  });
  await doors.open();
  const connect = async (secure: boolean): Promise<{ end: End; pipe: Pipe }> => {
    const end = new End();
    const pipe = world.network.connect(at, undefined, end);
    await world.clock.advance(10);
    if (secure) pipe.secure({ as: 'client', context: world.tls.context(plain), serverName: 'mx.test' });
    await world.clock.advance(10);
    return { end, pipe };
  };
  return { world, connect, failed, lines, served, gone: () => gone };
}

test('a client is served once it is encrypted, and not before', async () => {
  const made = await house();
  const { end, pipe } = await made.connect(true);
  expect(end.text).toBe('hello ');
  expect(made.served[0]?.tls).toMatchObject({ protocol: 'TLSv1.3', serverName: 'mx.test' });
  pipe.write(bytes('echo'));
  await made.world.clock.advance(10);
  expect(end.text).toBe('hello echo');
  pipe.end();
  await made.world.clock.advance(100);
  expect([end.over, made.gone(), made.failed]).toEqual([true, 1, []]);
  // The place under the cap is free again.
  expect((await made.connect(true)).end.text).toBe('hello ');
});

test('a client that waited in the accept queue is served once it is encrypted', async () => {
  const made = await house(true, false, { accept_queue_backlog: '5' });
  const { end, pipe } = await made.connect(true);
  expect(end.text).toBe('hello ');
  pipe.end();
  await made.world.clock.advance(100);
  expect([end.over, made.gone(), made.failed]).toEqual([true, 1, []]);
});

test('one that speaks in clear hears nothing, is counted, and its place is free again', async () => {
  const made = await house();
  const { end, pipe } = await made.connect(false);
  expect([end.text, made.served]).toEqual(['', []]);
  pipe.write(bytes('EHLO me\r\n'));
  await made.world.clock.advance(10);
  expect([end.over, end.text]).toEqual([true, '']);
  expect(made.failed).toEqual(['wrong version number']);
  expect((await made.connect(true)).end.text).toBe('hello ');
});

test('one that says nothing is cut off after a while', async () => {
  const made = await house();
  const { end } = await made.connect(false);
  await made.world.clock.advance(HANDSHAKE_MILLIS - 100);
  expect(end.over).toBe(false);
  await made.world.clock.advance(200);
  expect([end.over, made.failed]).toEqual([true, ['handshake timeout']]);
});

test('without a usable certificate nobody is served, it is counted, and the place is free again', async () => {
  const made = await house(false);
  const { end } = await made.connect(false);
  await made.world.clock.advance(100);
  expect(end.text).toBe('');
  expect(made.failed).toEqual(['there is no usable certificate for 192.0.2.1:465']);
});

test('a bug behind the handshake costs one connection', async () => {
  const made = await house(true, true);
  const { end } = await made.connect(true);
  await made.world.clock.advance(100);
  expect([end.over, end.text]).toEqual([true, '']);
  expect(made.lines[0]).toContain('CRITICAL listener: a connection to 192.0.2.1:465 failed: Error: a bug');
});
