import { expect, test } from 'vitest';
import { capabilities, helloFrame, PREFACE } from '../../src/ecstream/index.ts';
import { listeners } from '../../src/listener/index.ts';
import { generationOf, OPEN, viewOf } from '../dialogues/mail-in.ts';
import { End, plain } from '../support/tls-ground.ts';
import { paniclog, unchanging } from '../support/unchanging.ts';
import { StreamHouse } from './house.ts';

test('an ECStream listener with Use_SSL speaks once the client is encrypted, and knows how', async () => {
  const house = await StreamHouse.with();
  const { world } = house;
  const context = world.tls.context({ ...plain, identities: [world.tls.selfSigned('mx.test')] });
  const values = { ...OPEN, use_ssl: 'true' };
  const endpoint = { kind: 'tcp' as const, ip: '10.0.0.1', port: 1826 };
  const place = { file: 'f', line: 1, column: 1 };
  const seen: Record<string, string>[] = [];
  house.policy.hook('validate_connect', 'test', ({ connectionContext }) => {
    seen.push({ ...connectionContext });
    return { kind: 'continue' };
  });
  const listens = [{ listener: 'ecstream_listener' as const, endpoint, place, view: viewOf(values, 1) }];
  const doors = listeners({
    network: world.network,
    clock: world.clock,
    configuration: unchanging(generationOf(values, 1, listens)),
    events: paniclog(),
    tls: { server: () => context, failed: () => undefined },
    handlers: {
      ecstream_listener: (pipe, origin) => house.reception.stream(pipe, origin),
      control_listener: () => new End(),
    },
  });
  await doors.open();
  const end = new End();
  const pipe = world.network.connect(endpoint, undefined, end);
  await world.clock.advance(10);
  expect(end.text).toBe('');
  pipe.secure({ as: 'client', context: world.tls.context(plain), serverName: 'mx.test' });
  await world.clock.advance(10);
  pipe.write([
    PREFACE,
    helloFrame({ lowest: 1, highest: 1, capabilities: capabilities.ids, client: 'c', host: 'c.test' }),
  ]);
  await world.clock.advance(10);
  expect(end.text).toContain('mx.test');
  expect(seen).toMatchObject([{ ehlo_domain: 'c.test', tls_cipher: expect.stringContaining('AES') }]);
});
