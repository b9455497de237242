import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../base/index.ts';
import type { ConnectHost, NetworkError, Pipe } from '../world.ts';
import { type SimWorld, simWorld } from './index.ts';

const options = { backlog: 10, fileMode: 0o600 };
const server: Endpoint = { kind: 'tcp', ip: '192.0.2.1', port: 25 };

class Ear implements ConnectHost {
  readonly heard: string[] = [];
  text = '';
  why: NetworkError | undefined;
  opened(): void {
    this.heard.push('opened');
  }
  data(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString();
    this.heard.push(`data ${chunk.length}`);
  }
  drained(): void {
    this.heard.push('drained');
  }
  closed(why?: NetworkError): void {
    this.why = why;
    this.heard.push('closed');
  }
}

interface Pair {
  world: SimWorld;
  near: Ear;
  far: Ear;
  nearPipe: Pipe;
  farPipe: Pipe;
}
async function pair(world = simWorld()): Promise<Pair> {
  const far = new Ear();
  let farPipe: Pipe | undefined;
  await using door = await world.network.listen(server, options, (pipe) => {
    farPipe = pipe;
    return far;
  });
  const near = new Ear();
  const nearPipe = world.network.connect(door.at, '198.51.100.7', near);
  expect(near.heard).toEqual([]);
  await world.clock.advance(1000);
  if (!farPipe) throw new Error('nobody connected');
  return { world, near, far, nearPipe, farPipe };
}
const words = (text: string): Uint8Array[] => [Buffer.from(text)];

test('both ends know each other, and talk with a delay', async () => {
  const { world, near, far, nearPipe, farPipe } = await pair();
  expect([near.heard, far.heard]).toEqual([['opened'], []]);
  expect(farPipe.remote.ip).toBe('198.51.100.7');
  expect(farPipe.remote).toEqual(nearPipe.local);
  expect(farPipe.local).toEqual({ ip: '192.0.2.1', port: 25 });
  world.network.settings.latencyMillis = 50;
  nearPipe.write([Buffer.from('a'), Buffer.from('b')]);
  await world.clock.advance(49);
  expect(far.text).toBe('');
  await world.clock.advance(1);
  expect(far.heard).toEqual(['data 2']);
});

test('what a client writes before it is connected arrives, and the first words of a server come after `opened`', async () => {
  const world = simWorld();
  const far = new Ear();
  await using door = await world.network.listen({ kind: 'unix', path: '/run/x' }, options, (pipe) => {
    pipe.write(words('220 hi'));
    return far;
  });
  const near = new Ear();
  world.network.connect(door.at, undefined, near).write(words('early'));
  await world.clock.advance(1000);
  expect([near.heard, far.text]).toEqual([['opened', 'data 6'], 'early']);
});

test('a close goes to the other end behind the data, and both hear of it once', async () => {
  const { world, near, far, nearPipe, farPipe } = await pair();
  farPipe.pause();
  nearPipe.write(words('last words'));
  nearPipe.end();
  farPipe.write(words('not heard'));
  await world.clock.advance(1000);
  expect([far.heard, near.heard]).toEqual([[], ['opened']]);
  farPipe.resume();
  await world.clock.idle();
  expect(far.heard).toEqual(['data 10', 'closed']);
  expect(near.heard).toEqual(['opened', 'closed']);
  expect([near.why, far.why]).toEqual([undefined, undefined]);
  expect(world.clock.pending).toBe(0);
});

test('who hears the end of the peer may answer first', async () => {
  const { world, near, far, nearPipe, farPipe } = await pair();
  Object.assign(far, {
    ended: () => {
      farPipe.write(words('bye'));
      farPipe.end();
    },
  });
  const half = Object.assign(near, {});
  nearPipe.write(words('q'));
  nearPipe.end();
  await world.clock.idle();
  expect(far.heard).toEqual(['data 1', 'closed']);
  // Whoever has ended gets no data any more.
  expect(half.heard).toEqual(['opened', 'closed']);
});

test('a peer that never closes is cut off', async () => {
  const { world, near, far, nearPipe } = await pair();
  Object.assign(far, { ended: () => undefined });
  nearPipe.end();
  await world.clock.idle();
  expect(near.heard).toEqual(['opened', 'closed']);
  expect(near.why).toBeUndefined();
});

test('a fast writer waits for a slow reader', async () => {
  const { world, near, far, nearPipe, farPipe } = await pair();
  farPipe.pause();
  expect(nearPipe.write([Buffer.alloc(60_000)])).toBe(true);
  expect(nearPipe.write([Buffer.alloc(60_000)])).toBe(false);
  await world.clock.advance(1000);
  expect(near.heard).toEqual(['opened']);
  farPipe.resume();
  await world.clock.advance(1000);
  expect(near.heard).toEqual(['opened', 'drained']);
  expect(far.text).toHaveLength(120_000);
});

test('destroying with unread data resets the peer, without it ends it', async () => {
  const one = await pair();
  one.farPipe.pause();
  one.nearPipe.write(words('unread'));
  await one.world.clock.advance(10);
  one.farPipe.destroy();
  await one.world.clock.idle();
  expect([one.near.why?.code, one.far.why, one.far.heard]).toEqual(['ECONNRESET', undefined, ['closed']]);
  const two = await pair();
  two.farPipe.destroy();
  expect(two.far.heard).toEqual([]);
  await two.world.clock.idle();
  expect([two.near.heard, two.near.why, two.far.heard]).toEqual([['opened', 'closed'], undefined, ['closed']]);
});

test('who writes to a dead end hears a reset', async () => {
  const { world, near, nearPipe, farPipe } = await pair();
  Object.assign(near, { ended: () => undefined });
  farPipe.destroy();
  await world.clock.advance(10);
  nearPipe.write(words('anybody?'));
  await world.clock.advance(10);
  expect([near.heard, near.why?.code]).toEqual([['opened', 'closed'], 'ECONNRESET']);
});

test('connections are refused, time out in silence, are reset and cut as the test says', async () => {
  const world = simWorld();
  const connect = async (): Promise<Ear> => {
    const ear = new Ear();
    world.network.connect(server, undefined, ear);
    await world.clock.advance(100_000);
    return ear;
  };
  expect((await connect()).why?.code).toBe('ECONNREFUSED');
  await using door = await world.network.listen({ kind: 'tcp', ip: '0.0.0.0', port: 25 }, options, () => new Ear());
  expect((await connect()).heard).toEqual(['opened']);
  world.network.refuse('192.0.2.1:25', 'ENETUNREACH');
  expect((await connect()).why?.code).toBe('ENETUNREACH');
  world.network.silence('192.0.2.1:25');
  expect((await connect()).heard).toEqual([]);
  world.network.heal('192.0.2.1:25');
  expect((await connect()).heard).toEqual(['opened']);
  await door[Symbol.asyncDispose]();
  expect((await connect()).why?.code).toBe('ECONNREFUSED');
  const reset = await pair(world);
  world.network.reset(reset.nearPipe);
  const cut = await pair(world);
  world.network.cut(cut.farPipe);
  cut.nearPipe.write(words('lost'));
  await world.clock.advance(1000);
  expect([reset.near.why?.code, reset.far.why?.code]).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect([cut.near.heard, cut.far.heard]).toEqual([['opened'], []]);
});

test('a port and a path have one listener', async () => {
  const { network } = simWorld();
  await using door = await network.listen({ kind: 'tcp', ip: '::1', port: 0 }, options, () => new Ear());
  await expect(network.listen(door.at, options, () => new Ear())).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('bytes arrive complete and in order, however they are cut and delayed, and the same seed cuts them alike', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 30 }),
      async (seed, texts) => {
        const run = async (): Promise<Ear> => {
          const { world, far, nearPipe } = await pair(simWorld(seed, { latencyMillis: [1, 30], oddChunks: true }));
          for (const text of texts) nearPipe.write(words(text));
          nearPipe.end();
          await world.clock.idle();
          return far;
        };
        const [one, two] = [await run(), await run()];
        expect(one.text).toBe(texts.map((text) => Buffer.from(text).toString()).join(''));
        expect(one.heard).toEqual(two.heard);
      },
    ),
    { numRuns: 50 },
  );
});

test('datagrams arrive at who is bound there, may be forged, lost and silenced', async () => {
  const { network, clock } = simWorld();
  const heard: string[] = [];
  const at = { ip: '192.0.2.53', port: 53 };
  const bound = network.bind(at, {
    failed: () => undefined,
    received: (bytes, from) => {
      heard.push(`q ${Buffer.from(bytes)}`);
      bound.send(Buffer.from('answer'), from);
    },
  });
  const client = network.datagrams(4, {
    failed: () => undefined,
    received: (bytes, from) => heard.push(`a ${Buffer.from(bytes)} ${from.ip}`),
  });
  client.send(Buffer.from('question'), at);
  await clock.advance(10);
  network.silence('192.0.2.53:53');
  client.send(Buffer.from('unheard'), at);
  network.heal('192.0.2.53:53');
  network.settings.datagramLoss = 1;
  client.send(Buffer.from('lost'), at);
  await clock.advance(10);
  client.close();
  expect(heard).toEqual(['q question', 'a answer 192.0.2.53']);
  expect(() => network.bind(at, { failed: () => undefined, received: () => undefined })).toThrow('in use');
});

test('a crash of the machine resets what was open', async () => {
  const { world, near, far } = await pair();
  world.network.crash();
  await world.clock.idle();
  expect([near.why?.code, far.why?.code]).toEqual(['ECONNRESET', 'ECONNRESET']);
});

test('as on Linux a wildcard has its port alone in its family, and each address may have it besides the others', async () => {
  const { network } = simWorld();
  const listen = (ip: string, port = 25) => network.listen({ kind: 'tcp', ip, port }, options, () => new Ear());
  const first = await listen('192.0.2.1');
  await listen('192.0.2.2');
  await listen('::');
  await listen('0.0.0.0', 26);
  for (const ip of ['0.0.0.0', '192.0.2.1', '::1'])
    await expect(listen(ip)).rejects.toMatchObject({ code: 'EADDRINUSE', message: 'address already in use' });
  await first[Symbol.asyncDispose]();
  await listen('192.0.2.1');
});

test('a bind can be made to fail, and so can a change of an open socket, which is then as before', async () => {
  const { network } = simWorld();
  const listen = () => network.listen(server, options, () => new Ear());
  network.refuseBind('192.0.2.1:25', 'EACCES');
  await expect(listen()).rejects.toMatchObject({ code: 'EACCES' });
  network.healBind('192.0.2.1:25');
  const door = await listen();
  await door.change({ ...options, backlog: 3 });
  network.refuseBind('192.0.2.1:25');
  await expect(door.change({ ...options, backlog: 4 })).rejects.toMatchObject({ code: 'EACCES' });
  expect(network.listening.get('192.0.2.1:25')?.backlog).toBe(3);
});

test('a socket without descriptors loses its clients and tells its owner; those who connect later are taken', async () => {
  const { network, clock } = simWorld();
  const failed: string[] = [];
  const heard = { ...options, failed: (why: NetworkError) => void failed.push(why.code) };
  await network.listen({ kind: 'tcp', ip: '0.0.0.0', port: 25 }, heard, () => new Ear());
  network.refuseAccept('0.0.0.0:25');
  const lost = new Ear();
  network.connect(server, undefined, lost);
  await clock.advance(100);
  expect([lost.heard, lost.why?.code, failed]).toEqual([['opened', 'closed'], 'ECONNRESET', ['EMFILE']]);
  network.healAccept('0.0.0.0:25');
  const taken = new Ear();
  network.connect(server, undefined, taken);
  await clock.advance(100);
  expect(taken.heard).toEqual(['opened']);
});
