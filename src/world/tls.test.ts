import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytes, DAY, End, nodeGround, type Order, plain, simGround } from '../../test/support/tls-ground.ts';
import { endpointText } from '../base/index.ts';
import type { TlsIdentity, TlsMaterial, TlsProtocol } from './tls.ts';
import { type Listening, type Pipe, TlsError } from './world.ts';

describe.each([
  ['real', nodeGround],
  ['simulated', simGround],
])('TLS over the %s network', (kind, make) => {
  const ground = make();
  const { tls, network } = ground.world;
  let door: Listening;
  let far = new End();
  let farPipe: Pipe | undefined;
  /** What a server does with a new connection before anything else. */
  let greet: (pipe: Pipe) => void = () => undefined;
  beforeAll(async () => {
    door = await network.listen(ground.at, { backlog: 10, fileMode: 0 }, (pipe) => {
      farPipe = pipe;
      greet(pipe);
      return far;
    });
  });
  afterAll(() => door[Symbol.asyncDispose]());

  const server = (identities: readonly TlsIdentity[], more: Partial<TlsMaterial> = {}): TlsMaterial => ({
    ...plain,
    identities,
    ...more,
  });

  /** Both ends secured at once, as with implicit TLS. */
  async function shake(
    ours: TlsMaterial,
    theirs: TlsMaterial,
    serverName?: string,
  ): Promise<{ near: End; far: End; nearPipe: Pipe; farPipe: Pipe }> {
    const context = tls.context(ours);
    greet = (pipe) => pipe.secure({ as: 'server', context });
    far = new End();
    const near = new End();
    const nearPipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.isOpen);
    nearPipe.secure({ as: 'client', context: tls.context(theirs), serverName });
    await ground.wait(() => (near.facts !== undefined || near.over) && (far.facts !== undefined || far.over));
    if (farPipe === undefined) throw new Error('nobody was accepted');
    return { near, far, nearPipe, farPipe };
  }

  test('both ends learn protocol, cipher, name and certificate, and what they say arrives', async () => {
    const identity = ground.issue({ commonName: 'mx.test', names: ['mx.test', '*.alt.test'] });
    const ends = await shake(server([identity]), { ...plain, authorities: ground.authority }, 'mx.test');
    expect(ends.near.facts).toMatchObject({
      protocol: 'TLSv1.3',
      cipher: { name: 'TLS_AES_256_GCM_SHA384', bits: 256, secretBits: 256 },
      peer: {
        subject: '/CN=mx.test',
        issuer: '/CN=Root',
        commonName: 'mx.test',
        issuerCommonName: 'Root',
        names: ['mx.test', '*.alt.test'],
        distrust: undefined,
      },
    });
    expect(ends.far.facts).toMatchObject({ protocol: 'TLSv1.3', serverName: 'mx.test', peer: undefined });
    const long = 'x'.repeat(300_000);
    ends.nearPipe.write(bytes(`hello ${long}`));
    ends.farPipe.write(bytes('welcome'));
    await ground.wait(() => ends.far.text.length === long.length + 6 && ends.near.text === 'welcome');
    ends.nearPipe.end();
    await ground.wait(() => ends.near.over && ends.far.over);
    expect([ends.near.why, ends.far.why]).toEqual([undefined, undefined]);
  });

  test('a connection is secured after words in clear; what came before and what comes after stay apart', async () => {
    const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
    greet = (pipe) => pipe.write(bytes('220 hi\r\n'));
    far = new End((end) => {
      if (!end.text.endsWith('STARTTLS\r\n')) return;
      farPipe?.write(bytes('220 go\r\n'));
      farPipe?.secure({ as: 'server', context });
    });
    const near = new End((end) => {
      if (end.text === '220 hi\r\n') nearPipe.write(bytes('STARTTLS\r\n'));
      if (end.text.endsWith('220 go\r\n'))
        nearPipe.secure({ as: 'client', context: tls.context(plain), serverName: undefined });
    });
    const nearPipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.facts !== undefined && far.facts !== undefined);
    expect([near.text, far.text]).toEqual(['220 hi\r\n220 go\r\n', 'STARTTLS\r\n']);
    nearPipe.write(bytes('EHLO'));
    await ground.wait(() => far.text.endsWith('EHLO'));
    farPipe?.destroy();
    await ground.wait(() => near.over);
  });

  test.each<[string, Order, string]>([
    ['signed by nobody we know', { commonName: 'a.test', signed: false }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['too old', { commonName: 'a.test', until: kind === 'real' ? Date.now() - DAY : 1 }, 'CERT_HAS_EXPIRED'],
  ])('a certificate that is %s is told of, and stops nothing', async (_, order, distrust) => {
    const ends = await shake(server([ground.issue(order)]), { ...plain, authorities: ground.authority });
    expect(ends.near.facts?.peer?.distrust).toBe(distrust);
    ends.nearPipe.destroy();
  });

  test('authorities that are nobody trust nobody', async () => {
    const ends = await shake(server([ground.issue({ commonName: 'a.test' })]), plain);
    expect(ends.near.facts?.peer?.distrust).toBe(
      kind === 'real' ? 'SELF_SIGNED_CERT_IN_CHAIN' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    );
    ends.nearPipe.destroy();
  });

  test('a server that asks for a certificate learns of it, verified or not', async () => {
    const ours = server([ground.issue({ commonName: 'mx.test' })], { asks: 'optional', authorities: ground.authority });
    const known = await shake(ours, { ...plain, identities: [ground.issue({ commonName: 'client.test' })] });
    expect(known.far.facts?.peer).toMatchObject({ commonName: 'client.test', distrust: undefined });
    known.nearPipe.destroy();
    const stranger = ground.issue({ commonName: 'stranger.test', signed: false });
    const unknown = await shake(ours, { ...plain, identities: [stranger] });
    expect(unknown.far.facts?.peer).toMatchObject({ distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    unknown.nearPipe.destroy();
    const nobody = await shake(ours, plain);
    expect(nobody.far.facts?.peer).toBeUndefined();
    nobody.nearPipe.destroy();
  });

  test('a server that demands one hangs up on who has none', async () => {
    const ours = server([ground.issue({ commonName: 'mx.test' })], { asks: 'always', authorities: ground.authority });
    const ends = await shake(ours, plain);
    await ground.wait(() => ends.far.over && ends.near.over);
    expect(ends.far.facts).toBeUndefined();
    expect(ends.far.why).toBeInstanceOf(TlsError);
    expect(ends.far.why?.message).toBe('the client has shown no certificate');
  });

  test('the certificate is chosen by the name that is asked for, wildcards included', async () => {
    const one = ground.issue({ commonName: 'one.test', names: ['one.test'] });
    const two = ground.issue({ commonName: 'two.test', names: ['two.test'] });
    for (const [name, shown] of [
      ['two.test', 'two.test'],
      ['one.test', 'one.test'],
      ['else.test', 'one.test'],
      [undefined, 'one.test'],
    ] as const) {
      const ends = await shake(server([one, two]), plain, name);
      expect(ends.near.facts?.peer?.commonName).toBe(shown);
      ends.nearPipe.destroy();
    }
  });

  test.each<[string, Partial<TlsMaterial>, Partial<TlsMaterial>]>([
    ['no protocol in common', { protocols: ['TLSv1.3'] }, { protocols: ['TLSv1.2'] }],
    [
      'no cipher in common',
      { suites: 'TLS_AES_128_GCM_SHA256', protocols: ['TLSv1.3'] },
      { suites: 'TLS_AES_256_GCM_SHA384', protocols: ['TLSv1.3'] },
    ],
  ])('with %s both ends hear of a TLS error', async (_, ours, theirs) => {
    const identity = ground.issue({ commonName: 'mx.test' });
    const ends = await shake(server([identity], ours), { ...plain, ...theirs });
    await ground.wait(() => ends.near.over && ends.far.over);
    expect(ends.near.why).toBeInstanceOf(TlsError);
    expect(ends.far.why).toBeInstanceOf(TlsError);
    expect([ends.near.facts, ends.far.facts]).toEqual([undefined, undefined]);
  });

  test.each<[string, string]>([
    ['clear text', 'EHLO me\r\n'],
    ['nothing', ''],
  ])('a client that sends %s in place of a handshake and goes is told of as a TLS error', async (_, said) => {
    const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
    greet = (pipe) => pipe.secure({ as: 'server', context });
    far = new End();
    const near = new End();
    const pipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.isOpen);
    if (said === '') pipe.end();
    else pipe.write(bytes(said));
    await ground.wait(() => far.over);
    expect(far.why).toBeInstanceOf(TlsError);
    expect((far.why as TlsError).gone).toBe(said === '');
    expect(far.text).toBe('');
    pipe.destroy();
  });

  test('a pipe that is destroyed in the middle of a handshake closes in order', async () => {
    const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
    greet = (pipe) => pipe.secure({ as: 'server', context });
    far = new End();
    const near = new End();
    const pipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.isOpen && farPipe !== undefined);
    farPipe?.destroy();
    await ground.wait(() => far.over && near.over);
    expect(far.why).toBeUndefined();
    pipe.destroy();
  });

  test.each(['end', 'destroy'] as const)(
    'a host may %s the pipe in the very call that tells of the handshake',
    async (how) => {
      const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
      greet = (pipe) => pipe.secure({ as: 'server', context });
      far = new End();
      const ending = far;
      ending.secured = () => {
        ending.isOpen = true;
        if (how === 'end') farPipe?.write(bytes('bye'));
        farPipe?.[how]();
      };
      const near = new End();
      const pipe = network.connect(door.at, undefined, near);
      await ground.wait(() => near.isOpen);
      pipe.secure({ as: 'client', context: tls.context(plain), serverName: undefined });
      await ground.wait(() => far.over && near.over);
      expect([ending.isOpen, near.text]).toEqual([true, how === 'end' ? 'bye' : '']);
    },
  );

  test('twenty handshakes at once each reach their own connection', async () => {
    const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
    const ends: End[] = [];
    greet = (pipe) => {
      const end = new End((each) => {
        if (each.text.endsWith('!')) pipe.write(bytes(each.text));
      });
      far = end;
      ends.push(end);
      pipe.secure({ as: 'server', context });
    };
    const clients = Array.from({ length: 20 }, () => {
      const end = new End();
      const pipe = network.connect(door.at, undefined, end);
      return { end, pipe };
    });
    await ground.wait(() => clients.every(({ end }) => end.isOpen));
    const client = tls.context(plain);
    for (const { pipe } of clients) pipe.secure({ as: 'client', context: client, serverName: undefined });
    await ground.wait(() => clients.every(({ end }) => end.facts !== undefined));
    for (const [index, { pipe }] of clients.entries()) pipe.write(bytes(`I am ${index}!`));
    await ground.wait(() => clients.every(({ end }) => end.text.endsWith('!')));
    expect(clients.map(({ end }) => end.text)).toEqual(clients.map((_, index) => `I am ${index}!`));
    for (const { pipe } of clients) pipe.destroy();
    await ground.wait(() => ends.every((end) => end.over));
  });

  test('a paused pipe gives nothing after the handshake until it is resumed', async () => {
    const context = tls.context(server([ground.issue({ commonName: 'mx.test' })]));
    greet = (pipe) => {
      pipe.secure({ as: 'server', context });
      pipe.pause();
    };
    far = new End();
    const near = new End();
    const pipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.isOpen);
    pipe.secure({ as: 'client', context: tls.context(plain), serverName: undefined });
    await ground.wait(() => near.facts !== undefined && far.facts !== undefined);
    pipe.write(bytes('hello'));
    let turns = 0;
    await ground.wait(() => ++turns > 20);
    expect(far.text).toBe('');
    farPipe?.resume();
    await ground.wait(() => far.text === 'hello');
    pipe.destroy();
  });

  test('certificates that nobody signed but themselves are made on demand', async () => {
    const ends = await shake(server([tls.selfSigned('try.test')]), plain, 'try.test');
    expect(ends.near.facts?.peer).toMatchObject({ names: ['try.test'], distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    ends.nearPipe.destroy();
  });

  test.each<[string, (good: TlsIdentity) => Partial<TlsMaterial>]>([
    ['certificate', (good) => ({ identities: [{ ...good, chain: Buffer.from('garbage') }] })],
    ['key', (good) => ({ identities: [{ ...good, key: Buffer.from('garbage') }] })],
    [
      'mismatch',
      (good) => ({ identities: [{ chain: good.chain, key: ground.issue({ commonName: 'other.test' }).key }] }),
    ],
    ['authorities', () => ({ authorities: Buffer.from('garbage') })],
    ['ciphers', () => ({ ciphers: kind === 'real' ? 'NO-SUCH-CIPHER' : '?' })],
    ['curves', () => ({ curves: 'prime256v1:nonsense' })],
  ])('a context with a bad %s is not made', (trouble, bad) => {
    const good = ground.issue({ commonName: 'mx.test' });
    const make = (): unknown => tls.context({ ...plain, ...bad(good) });
    expect(make).toThrow(TlsError);
    expect(make).toThrow(expect.objectContaining({ trouble, code: 'ETLS' }));
  });

  test('the time of a certificate is known before it is used', () => {
    const until = Math.floor(Date.now() / 1000) * 1000 + DAY;
    const { validity } = tls.context(server([ground.issue({ commonName: 'a.test', until })]));
    expect(validity?.until).toBe(until);
    expect(tls.context(plain).validity).toBeUndefined();
  });
});

describe('OpenSSL', () => {
  test.each(['garbage', '-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n'])(
    'DH parameters that are none (%j) make no context',
    (text) => {
      const make = (): unknown => nodeGround().world.tls.context({ ...plain, dh: Buffer.from(text) });
      expect(make).toThrow(expect.objectContaining({ trouble: 'dh' }));
    },
  );

  test.each<[readonly TlsProtocol[], TlsProtocol]>([
    [['TLSv1'], 'TLSv1'],
    [['TLSv1.1'], 'TLSv1.1'],
    [['TLSv1.2'], 'TLSv1.2'],
    [['TLSv1.1', 'TLSv1.3'], 'TLSv1.3'],
  ])('%s leads to %s', async (protocols, expected) => {
    const ground = nodeGround();
    const identity = ground.issue({ commonName: 'mx.test' });
    const { tls, network } = ground.world;
    const everything: TlsMaterial = { ...plain, protocols: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] };
    const context = tls.context({ ...plain, identities: [identity], protocols });
    await using door = await network.listen(ground.at, { backlog: 1, fileMode: 0 }, (pipe) => {
      pipe.secure({ as: 'server', context });
      return new End();
    });
    const near = new End();
    const pipe = network.connect(door.at, undefined, near);
    await ground.wait(() => near.isOpen);
    pipe.secure({ as: 'client', context: tls.context(everything), serverName: undefined });
    await ground.wait(() => near.facts !== undefined || near.over);
    expect(near.facts?.protocol ?? near.why?.message).toBe(expected);
    pipe.destroy();
  });
});

test('in the simulation a handshake can be made to fail or to hang', async () => {
  const ground = simGround();
  const { world } = ground;
  if (!('breakTls' in world.network)) throw new Error('no simulation');
  const sim = world.network as import('./sim/index.ts').SimNetwork;
  const identity = ground.issue({ commonName: 'mx.test' });
  const context = world.tls.context({ ...plain, identities: [identity] });
  await world.network.listen(ground.at, { backlog: 1, fileMode: 0 }, (pipe) => {
    pipe.secure({ as: 'server', context });
    return new End();
  });
  const attempt = async (): Promise<End> => {
    const near = new End();
    const pipe = world.network.connect(ground.at, undefined, near);
    await ground.wait(() => near.isOpen);
    pipe.secure({ as: 'client', context: world.tls.context(plain), serverName: undefined });
    return near;
  };
  sim.breakTls(endpointText(ground.at), 'bad record mac');
  const failed = await attempt();
  await ground.wait(() => failed.over);
  expect(failed.why?.message).toBe('bad record mac');
  sim.breakTls(endpointText(ground.at), 'silent');
  const hanging = await attempt();
  let turns = 0;
  await ground.wait(() => ++turns > 500);
  expect([hanging.over, hanging.facts]).toEqual([false, undefined]);
  sim.heal(endpointText(ground.at));
  const healed = await attempt();
  await ground.wait(() => healed.facts !== undefined);
});
