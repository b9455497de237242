import { expect, test } from 'vitest';
import { events } from '../events/index.ts';
import type { Hashing } from '../world/index.ts';
import { type SimWorld, simWorld } from '../world/sim/index.ts';
import { CredentialStores } from './credential-stores.ts';
import { digestOf } from './digest-md5.ts';
import { scramSecret, scramText } from './scram-secret.ts';
import { readStoreAddress } from './store-address.ts';

function shop(hashing?: Hashing): { world: SimWorld; stores: CredentialStores; told: string[] } {
  const world = simWorld(7);
  const told: string[] = [];
  const heard = events(world.clock, () => 1);
  heard.subscribe(['diagnostic'], ({ level, text }) => void told.push(`${level} ${text}`));
  return { world, told, stores: new CredentialStores({ ...world, hashing: hashing ?? world.hashing, events: heard }) };
}

const at = readStoreAddress;
const scramLine = async (world: SimWorld, user: string, password: string): Promise<string> => {
  const salt = Buffer.from('0123456789abcdef');
  return `${user}:${scramText(scramSecret(await world.hashing.pbkdf2(Buffer.from(password), salt, 4096), salt, 4096))}`;
};

test('a file of passwords is split at the first colon; comments, blank lines and CRLF are nothing', async () => {
  const { world, stores, told } = shop();
  world.disk.put('/p', '# people\r\n\r\nfred:a:b c\r\nfred:later\r\nann:\r\n');
  const file = at('file:///p');
  expect(await stores.verdict(file, 'fred', 'a:b c')).toBe('right');
  expect(await stores.verdict(file, 'fred', 'later')).toBe('wrong');
  expect(await stores.verdict(file, 'ann', '')).toBe('right');
  expect(await stores.verdict(file, 'bob', '')).toBe('wrong');
  expect(await stores.password(file, 'fred')).toEqual({ kind: 'known', secret: 'a:b c' });
  expect(told).toEqual([]);
});

test('a digest file has a line for each realm, and serves clear-text logins too', async () => {
  const { world, stores } = shop();
  const line = (realm: string, password: string): string => `fred:${realm}:${digestOf('fred', realm, password)}\n`;
  world.disk.put('/d', line('one', 'x') + line('two', 'y').toUpperCase().replace('FRED:TWO', 'fred:two'));
  const file = at('digest:///d');
  expect(await stores.digest(file, 'fred', 'one')).toEqual({ kind: 'known', secret: digestOf('fred', 'one', 'x') });
  expect(await stores.digest(file, 'fred', 'two')).toEqual({ kind: 'known', secret: digestOf('fred', 'two', 'y') });
  expect((await stores.digest(file, 'fred', 'three')).kind).toBe('unknown');
  expect(await Promise.all(['x', 'y', 'z'].map((each) => stores.verdict(file, 'fred', each)))).toEqual([
    'right',
    'right',
    'wrong',
  ]);
  expect(await stores.verdict(file, 'bob', 'x')).toBe('wrong');
});

test('a SCRAM file serves clear-text logins, and a right password is derived once only', async () => {
  let derived = 0;
  const { hashing } = simWorld();
  const { world, stores } = shop({
    pbkdf2: (...words) => {
      derived++;
      return hashing.pbkdf2(...words);
    },
  });
  world.disk.put('/s', await scramLine(world, 'fred', 'pencil'));
  const file = at('scram:///s');
  for (let turn = 0; turn < 3; turn++) expect(await stores.verdict(file, 'fred', 'pencil')).toBe('right');
  expect(derived).toBe(1);
  for (let turn = 0; turn < 2; turn++) expect(await stores.verdict(file, 'fred', 'crayon')).toBe('wrong');
  expect(derived).toBe(3);
  // Somebody who does not exist costs as much as a wrong password.
  for (let turn = 0; turn < 2; turn++) expect(await stores.verdict(file, 'bob', 'pencil')).toBe('wrong');
  expect(derived).toBe(5);
});

test('an unknown user looks like a known one, and the same each time', async () => {
  const { world, stores } = shop();
  world.disk.put('/s', await scramLine(world, 'fred', 'pencil'));
  const [one, two, other] = await Promise.all(
    ['bob', 'bob', 'eve'].map((user) => stores.scram(at('scram:///s'), user)),
  );
  expect(one).toEqual(two);
  expect(one).toMatchObject({ kind: 'unknown', decoy: { iterations: 4096 } });
  expect(one?.kind === 'unknown' && one.decoy.salt.length).toBe(16);
  expect(other).not.toEqual(one);
});

test('a file is read again when it changed, and not while it did not', async () => {
  const { world, stores } = shop();
  world.disk.put('/p', 'fred:one');
  await world.clock.advance(10_000);
  const file = at('file:///p');
  expect(await stores.verdict(file, 'fred', 'one')).toBe('right');
  const reads = world.disk.done.get('read');
  expect(await stores.verdict(file, 'fred', 'one')).toBe('right');
  expect(world.disk.done.get('read')).toBe(reads);
  world.disk.put('/p', 'fred:two');
  expect(await stores.verdict(file, 'fred', 'two')).toBe('right');
  // Of the same length, in the same moment: only its youth gives it away.
  world.disk.put('/p', 'fred:six');
  expect(await stores.verdict(file, 'fred', 'six')).toBe('right');
  await world.disk.remove('/p');
  expect(await stores.verdict(file, 'fred', 'six')).toBe('unavailable');
});

test('what cannot be read or understood is unavailable, is told once, and works again when it is mended', async () => {
  const { world, stores, told } = shop();
  const file = at('digest:///etc/console_passwd');
  const ask = (): Promise<string> => stores.verdict(file, 'fred', 'x');
  expect([await ask(), await ask()]).toEqual(['unavailable', 'unavailable']);
  world.disk.put('/etc/console_passwd', '# ok\nfred:realm:secret-by-mistake\n');
  expect([await ask(), await ask()]).toEqual(['unavailable', 'unavailable']);
  world.disk.put('/etc/console_passwd', `fred:r:${digestOf('fred', 'r', 'x')}`);
  expect(await ask()).toBe('right');
  using broken = world.disk.fail({ operation: 'status' }, 'EACCES');
  expect([await ask(), await ask()]).toEqual(['unavailable', 'unavailable']);
  broken[Symbol.dispose]();
  expect(await ask()).toBe('right');
  expect(told).toEqual([
    expect.stringMatching(/^ERROR IMP_CREDENTIALS digest:\/\/\/etc\/console_passwd: there is no such file; /),
    expect.stringMatching(/: line 2 is not user:realm:MD5; /),
    expect.stringMatching(/EACCES/),
  ]);
  expect(told.join()).not.toContain('secret');
});

test('groups have users behind one colon or two', async () => {
  const { world, stores } = shop();
  world.disk.put('/g', '# roles\nroot:root\nadmin:x:serv, ec\nops:ec\nempty:\n');
  const file = at('groups:///g');
  expect(await stores.rolesOf(file, 'ec')).toEqual(['admin', 'ops']);
  expect(await stores.rolesOf(file, 'nobody')).toEqual([]);
  expect(await stores.roles(file)).toEqual(['root', 'admin', 'ops', 'empty']);
  world.disk.put('/g', 'a:b:c:d');
  expect(await stores.rolesOf(file, 'ec')).toBeUndefined();
});

test('a system user has his name, and his number when nobody knows it', async () => {
  const { world, stores } = shop();
  world.disk.put('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nnonsense\nfred:x:1000:1000::/home/fred:/bin/sh\n');
  expect(await stores.systemUser(1000)).toBe('fred');
  expect(await stores.systemUser(1001)).toBe('#1001');
});

test('derivations are few at a time, and too many logins at once are turned away, not piled up', async () => {
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const { world, stores } = shop({
    async pbkdf2() {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
      return new Uint8Array(32);
    },
  });
  world.disk.put('/s', await scramLine(world, 'fred', 'pencil'));
  const answers = Array.from({ length: 300 }, (_, index) => stores.verdict(at('scram:///s'), 'fred', `guess ${index}`));
  const all = Promise.all(answers);
  let over = false;
  void all.then(() => {
    over = true;
  });
  while (!over) {
    await world.clock.advance(1);
    for (const end of ends.splice(0)) end();
  }
  const verdicts = await all;
  expect(most).toBe(2);
  expect(verdicts.filter((each) => each === 'unavailable')).toHaveLength(98);
  expect(verdicts.filter((each) => each === 'wrong')).toHaveLength(202);
});

test('a uri is a scheme and an absolute path, or the name of a scheme', () => {
  expect(at('DIGEST:///a b')).toEqual({ scheme: 'digest', path: '/a b' });
  expect(at('ecauth://')).toEqual({ scheme: 'named', name: 'ecauth', uri: 'ecauth://' });
  for (const bad of ['digest://relative', '/path', 'file://', '://x'])
    expect(() => at(bad)).toThrow(/a uri|an absolute/);
});
