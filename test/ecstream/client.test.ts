import { describe, expect, test } from 'vitest';
import { millis } from '../../src/base/index.ts';
import { EcstreamLost, EcstreamSender, type Outgoing, type SenderOptions } from '../../src/ecstream/index.ts';
import { type SimWorld, simWorld } from '../../src/world/sim/index.ts';
import { AT, mail } from './house.ts';
import { StreamPeer, type StreamScript } from './stream-peer.ts';

async function scene(script: StreamScript = {}, options: Partial<SenderOptions> = {}) {
  const world: SimWorld = simWorld();
  const peer = await StreamPeer.at(world, script);
  const sender = new EcstreamSender(world, { at: AT, ...options });
  const later = (seconds: number): Promise<void> => world.clock.advance(millis(seconds * 1000));
  return { world, peer, sender, later };
}

const failure = (sent: Promise<unknown>): Promise<unknown> => sent.catch((why: unknown) => why);

describe('a message that cannot be put into frames', () => {
  const wide = Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`name${n}`, 'x']));
  test.each<readonly [string, Partial<Outgoing>, RegExp]>([
    ['has no recipients', { to: [] }, /needs a recipient/],
    ['has an address without end', { to: [`${'x'.repeat(70_000)}@y.test`] }, /an address/],
    ['has too many values', { context: wide }, /256 values/],
    ['has a value that is no text', { context: { job: 7 as unknown as string } }, /'job' is no text/],
    ['has an envelope that is too large', { context: { text: 'x'.repeat(1_100_000) } }, /an envelope of/],
  ])('because it %s is refused by itself; the others go on', async (_what, change, text) => {
    const { world, peer, sender } = await scene();
    const first = sender.send(mail(1));
    const bad = failure(sender.send({ ...mail(2), ...change }));
    const last = sender.send(mail(3));
    const why = await world.clock.until(bad);
    expect(why).toBeInstanceOf(RangeError);
    expect((why as RangeError).message).toMatch(text);
    await world.clock.until(Promise.all([first, last]));
    expect([peer.taken.length, peer.sessions]).toEqual([2, 1]);
  });

  test('because this server takes less in a frame is refused by itself, and the client can be closed', async () => {
    const { world, peer, sender } = await scene({ settings: { maxFrame: 40_000 } });
    const first = sender.send({ ...mail(1), body: `Subject: x\n\n${'x'.repeat(100_000)}\n` });
    const bad = failure(sender.send({ ...mail(2), context: { text: 'x'.repeat(45_000) } }));
    expect(await world.clock.until(bad)).toBeInstanceOf(RangeError);
    await world.clock.until(first);
    await world.clock.until(sender.close());
    expect(peer.taken.map(({ body }) => body.length)).toEqual([100_016]);
  });
});

test('an envelope and a body that do not fit one frame together go in two', async () => {
  const { world, peer, sender } = await scene({ settings: { maxFrame: 40_000 } });
  const context = { text: 'x'.repeat(30_000) };
  await world.clock.until(sender.send({ ...mail(1), context, body: `Subject: x\n\n${'x'.repeat(30_000)}\n` }));
  expect(peer.taken[0]?.body).toHaveLength(30_016);
});

describe('a server that', () => {
  test('falls silent is left after answerTimeout, and what was under way goes over another connection', async () => {
    let silent = true;
    const { world, peer, sender, later } = await scene(
      { hear: (event) => silent && event.kind === 'message' },
      { answerTimeout: 30_000 },
    );
    const sent = sender.send(mail(1));
    await later(29);
    silent = false;
    expect(peer.sessions).toBe(1);
    await world.clock.until(sent);
    expect(peer.sessions).toBe(2);
  });

  test('is slow, but says something now and then, is waited for', async () => {
    const { world, peer, sender, later } = await scene(
      { hear: (event) => event.kind === 'message' },
      { answerTimeout: 30_000 },
    );
    const sent = sender.send(mail(1));
    for (let n = 0; n < 10; n++) {
      await later(20);
      peer.machines[0]?.window(100 + n, 1_000_000);
      peer.say();
    }
    peer.machines[0]?.accept(1, 'id');
    peer.machines[0]?.acknowledge();
    peer.say();
    await world.clock.until(sent);
    expect(peer.sessions).toBe(1);
  });

  test('does not answer a login is left like one that gives no welcome', async () => {
    const { world, peer, sender } = await scene(
      { settings: { auth: true }, hear: (event) => event.kind === 'auth' },
      { login: { user: 'u', password: 'p' }, insecureLogin: true, connectTimeout: 5000, patience: 20_000 },
    );
    expect(await world.clock.until(failure(sender.send(mail(1))))).toBeInstanceOf(EcstreamLost);
    expect(peer.sessions).toBeGreaterThan(2);
  });

  test('says goodbye and does not close is left after a while, and new mail goes over another connection', async () => {
    const { world, peer, sender, later } = await scene({}, { answerTimeout: 30_000 });
    await world.clock.until(sender.send(mail(1)));
    peer.clings = true;
    peer.machines[0]?.dismiss(421, '4.3.2 going');
    peer.say();
    await later(1);
    const second = sender.send(mail(2));
    await world.clock.until(second);
    expect(peer.sessions).toBe(2);
  });

  test('does not answer a goodbye keeps nobody from closing', async () => {
    const { world, peer, sender } = await scene();
    await world.clock.until(sender.send(mail(1)));
    peer.clings = true;
    await world.clock.until(sender.close());
    expect(sender.pending).toBe(0);
  });
});
