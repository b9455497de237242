import { describe, expect, test } from 'vitest';
import { StreamHouse } from '../../test/ecstream/house.ts';
import { StreamPeer } from '../../test/ecstream/stream-peer.ts';
import { plain } from '../../test/support/tls-ground.ts';
import { type SimProcess, SimTls, type SimWorld, simIdentity, simProcess, simWorld } from '../world/sim/index.ts';
import { sendProgram } from './send.ts';

async function run(house: StreamHouse, ...words: readonly string[]) {
  const process = simProcess();
  const all = ['--ecstream', '--server', '10.0.0.1:1825', ...words];
  const code = await house.until(sendProgram(house.world, process, all));
  return { code, said: process.said, complained: process.complained };
}

describe('impetus send --ecstream', () => {
  test('sends one message and shows its id', async () => {
    const house = await StreamHouse.with();
    const { code, said, complained } = await run(house, '--body', 'first\n.dot\n', '--subject', 'hi');
    expect([code, complained]).toEqual([0, '']);
    expect(said).toMatch(/^accepted as [0-9A-F/-]{20}\n$/);
    const [kept] = house.spool.kept;
    expect(kept?.body).toMatch(/\r\nSubject: hi\r\n[\s\S]*\r\n\r\nfirst\r\n\.dot\r\n$/);
    expect(kept?.traits.dots).toBe(true);
  });

  test('sends many over a few connections, and counts', async () => {
    const house = await StreamHouse.with();
    const { code, said } = await run(house, '--count', '5000', '--sessions', '3', '--to', 'u{n}@y.test');
    expect(code).toBe(0);
    expect(said).toMatch(/^5,000 accepted in /);
    const recipients = house.spool.kept.map(({ envelope }) => envelope.recipients[0]?.path);
    expect(new Set(recipients).size).toBe(5000);
    expect(new Set(house.spool.kept.map(({ envelope }) => envelope.connectionId)).size).toBe(3);
  });

  test('says who was refused, and exits with 1', async () => {
    const house = await StreamHouse.with({ relay_domains: ['y.test'] });
    const some = await run(house, '--to', 'a@y.test', 'b@z.test');
    expect(some.code).toBe(1);
    expect(some.said).toMatch(/^<b@z\.test>: 550 5\.7\.1 relaying denied\naccepted as \S+ for 1 of 2 recipients\n$/);
    const none = await run(house, '--to', 'b@z.test');
    expect(none).toMatchObject({ code: 1, said: 'refused: 550 5.7.1 relaying denied\n' });
  });

  test('says so when nobody is there', async () => {
    const house = await StreamHouse.with();
    const { code, complained } = await run(house, '--server', '10.0.0.9:1825');
    expect(code).toBe(1);
    expect(complained).toMatch(/^impetus send: 10\.0\.0\.9:1825: /);
  });
});

const ended = async (world: SimWorld, words: readonly string[], process: SimProcess = simProcess()) => {
  const all = ['--ecstream', '--server', '10.0.0.1:1825', ...words];
  const code = await world.clock.until(sendProgram(world, process, all));
  return { code, said: process.said, complained: process.complained };
};

describe('impetus send --ecstream --tls', () => {
  const there = async (names = ['mail.test']) => {
    const world = simWorld();
    world.disk.put('/ca.pem', Buffer.from(simIdentity({ commonName: 'Root' }).chain).toString());
    const identities = [simIdentity({ commonName: 'mail', names, issuer: 'Root' })];
    const peer = await StreamPeer.at(world, { tls: new SimTls().context({ ...plain, identities }) });
    return { world, peer };
  };

  test('sends over TLS to a server whose certificate is signed by --ca and names --server-name', async () => {
    const { world, peer } = await there();
    const words = ['--tls', '--ca', '/ca.pem', '--server-name', 'mail.test'];
    expect(await ended(world, words)).toEqual({ code: 0, said: 'accepted as id1\n', complained: '' });
    expect(peer.facts).toMatchObject([{ serverName: 'mail.test' }]);
  });

  test.each([
    ['signed by somebody else', ['--server-name', 'mail.test'], 'is not trusted: its authority is not known'],
    ['for somebody else', ['--ca', '/ca.pem'], 'is not for 10.0.0.1, but for mail.test'],
  ])('says so when the certificate is %s, and sends nothing', async (_what, words, text) => {
    const { world, peer } = await there();
    const before = world.clock.now();
    const { code, complained } = await ended(world, ['--tls', '--count', '50', ...words]);
    expect([code, peer.taken]).toEqual([1, []]);
    expect(complained).toContain(`impetus send: 10.0.0.1:1825: the certificate of the server ${text}`);
    expect(world.clock.now() - before).toBeLessThan(2000);
  });

  test.each<readonly [string, readonly string[], string]>([
    ['a file that is not there', ['--tls', '--ca', '/none.pem'], 'cannot read /none.pem: '],
    ['a file without a certificate', ['--tls', '--ca', '/text'], '/text cannot be used: '],
    ['--ca without --tls', ['--ca', '/ca.pem'], '--ca and --server-name want --tls'],
    ['a socket without a name', ['--tls', '--server', '/run/s'], '--tls wants a --server-name: '],
    [
      'a login in clear',
      ['--login', 'ann', '--password-file', '/text'],
      'the login would go to 10.0.0.1:1825 in clear',
    ],
    ['a key in clear', ['--api-key-file', '/text'], 'the login would go to 10.0.0.1:1825 in clear'],
    ['two logins', ['--login', 'ann', '--api-key-file', '/text'], '--login and --api-key-file exclude each other'],
    ['a password of nobody', ['--password-file', '/text'], '--password-file wants a --login'],
    ['no password', ['--tls', '--login', 'ann'], 'no password for ann'],
    ['an empty password', ['--tls', '--login', 'ann', '--password-file', '/empty'], 'no password for ann'],
    ['an empty key', ['--tls', '--api-key-file', '/empty'], 'there is no key in /empty'],
    ['a key that is not there', ['--tls', '--api-key-file', '/none'], 'cannot read /none: '],
    ['a text and a password of one input', ['--tls', '--login', 'ann', '--file', '-'], 'standard input is the text: '],
  ])('refuses %s', async (_what, words, text) => {
    const { world, peer } = await there();
    world.disk.put('/text', 'secret\n');
    world.disk.put('/empty', '\n');
    const { code, complained } = await ended(world, words);
    expect([code, peer.sessions]).toEqual([2, 0]);
    expect(complained.startsWith(`impetus send: ${text}`)).toBe(true);
    expect(complained).not.toContain('secret');
  });

  test('is for ECStream only, as a login is', async () => {
    for (const words of [['--tls'], ['--login', 'ann'], ['--api-key-file', '/key'], ['--insecure-login']]) {
      const process = simProcess();
      expect(await sendProgram(simWorld(), process, words)).toBe(2);
      expect(process.complained).toBe('impetus send: TLS and logins are spoken with --ecstream only\n');
    }
  });
});

describe('impetus send --ecstream with a login', () => {
  const KEY = 'k'.repeat(40);
  const there = async () => {
    const world = simWorld();
    world.disk.put('/users', 'ann:s3cret\n');
    world.disk.put('/password', 's3cret\r\nand more\n');
    world.disk.put('/key', `${KEY}\n`);
    const house = await StreamHouse.with(
      { enable_authentication: 'true', authplainparameters: { uri: 'file:///users' } },
      world,
    );
    house.keys.set(KEY, true);
    return house;
  };
  const user = async (words: readonly string[], process?: SimProcess) => {
    const house = await there();
    const result = await ended(house.world, ['--insecure-login', ...words], process);
    return [result.code, result.complained, house.enqueued[0]?.envelope.context.connection.auth_user];
  };

  test('is ann by the password in a file, on standard input or at the keyboard', async () => {
    expect(await user(['--login', 'ann', '--password-file', '/password'])).toEqual([0, '', 'ann']);
    expect(await user(['--login', 'ann'], simProcess({ input: 's3cret\nrest' }))).toEqual([0, '', 'ann']);
    const house = await there();
    const asked: string[] = [];
    const terminal = () => ({ secret: async (prompt: string) => (asked.push(prompt) > 0 ? 's3cret' : undefined) });
    const words = ['--ecstream', '--server', '10.0.0.1:1825', '--insecure-login', '--login', 'ann'];
    const process = simProcess({ isTerminal: true });
    expect(await house.until(sendProgram(house.world, process, words, terminal))).toBe(0);
    expect(asked).toEqual(['Password of ann: ']);
  });

  test('is a program by the API key in a file', async () => {
    expect(await user(['--api-key-file', '/key'])).toEqual([0, '', `id of ${KEY}`]);
  });

  test('with a wrong password tells what the server said', async () => {
    const [code, complained, who] = await user(['--login', 'ann'], simProcess({ input: 'guess' }));
    expect([code, who]).toEqual([1, undefined]);
    expect(complained).toMatch(/^impetus send: 10\.0\.0\.1:1825: 535 /);
    expect(complained).not.toContain('guess');
  });
});
