import { expect, test } from 'vitest';
import { bytes, End, plain } from '../../test/support/tls-ground.ts';
import type { Endpoint } from '../base/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { sink } from './sink.ts';

const at: Endpoint = { kind: 'tcp', ip: '192.0.2.1', port: 2526 };

async function talking(offers: boolean) {
  const world = simWorld(5, { oddChunks: true });
  const tls = world.tls.context({ ...plain, identities: [world.tls.selfSigned('sink.test')] });
  const made = sink(world, { hostName: 'sink.test', ...(offers ? { tls } : {}) });
  await made.listen(at);
  const client = new End();
  const pipe = world.network.connect(at, undefined, client);
  const says = async (text: string): Promise<string> => {
    client.text = '';
    if (text !== '') pipe.write(bytes(text.replaceAll('\n', '\r\n')));
    await world.clock.advance(50);
    return client.text.replaceAll('\r\n', '|');
  };
  await says('');
  return { world, made, client, pipe, says };
}

test('with a certificate STARTTLS is offered, and mail is taken over TLS', async () => {
  const { world, made, client, pipe, says } = await talking(true);
  expect(await says('EHLO me\n')).toContain('250 STARTTLS|');
  expect(await says('MAIL FROM:<a@b.c>\nRSET\nSTARTTLS\n')).toContain('220 2.0.0 ready to start TLS|');
  pipe.secure({ as: 'client', context: world.tls.context(plain), serverName: 'sink.test' });
  await world.clock.advance(50);
  expect(client.facts?.peer).toMatchObject({ names: ['sink.test'] });
  expect(await says('EHLO me\n')).not.toContain('STARTTLS');
  expect(await says('STARTTLS\n')).toBe('503 5.5.1 bad sequence of commands|');
  await says('MAIL FROM:<a@b.c>\nRCPT TO:<d@e.f>\nDATA\n');
  expect(await says('Subject: x\n\nhello\n.\n')).toBe('250 2.0.0 taken|');
  expect([made.counters.messages, made.counters.encryptedSessions]).toEqual([1, 1]);
  pipe.end();
  await made.close();
});

test('without one it is not, and is no command', async () => {
  const { made, pipe, says } = await talking(false);
  expect(await says('EHLO me\n')).not.toContain('STARTTLS');
  expect(await says('STARTTLS\n')).toBe('502 5.5.1 command not implemented|');
  pipe.end();
  await made.close();
});

test('a client that does not shake hands is let go', async () => {
  const { world, made, client, says } = await talking(true);
  await says('EHLO me\n');
  await says('STARTTLS\n');
  await says('hello?\n');
  expect(client.over).toBe(true);
  const { pipe: idle, says: idles } = await talking(true);
  await idles('EHLO me\n');
  await idles('STARTTLS\n');
  idle.end();
  await world.clock.advance(70_000);
  expect(made.counters.openSessions).toBe(0);
});
