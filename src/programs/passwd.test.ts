import { expect, test } from 'vitest';
import { CredentialStores, digestOf, readStoreAddress } from '../auth/index.ts';
import { events } from '../events/index.ts';
import { type SimWorld, simProcess, simWorld } from '../world/sim/index.ts';
import { md5passwdProgram, type PasswordShell, passwdProgram } from './passwd.ts';

interface Trial {
  readonly code: number;
  readonly said: string;
  readonly complained: string;
  readonly asked: readonly string[];
}

/** @param typed  what is typed at the keyboard, in secret; undefined: standard input is `input` */
async function run(
  program: (shell: PasswordShell, words: readonly string[]) => Promise<number>,
  world: SimWorld,
  words: readonly string[],
  { typed, input = '', realm }: { typed?: string[]; input?: string; realm?: string } = {},
): Promise<Trial> {
  const process = simProcess({
    isTerminal: typed !== undefined,
    input,
    environment: realm === undefined ? {} : { EC_DIGEST_REALM: realm },
  });
  const asked: string[] = [];
  const code = await program(
    {
      world,
      process,
      terminal: () => ({
        async secret(prompt) {
          asked.push(prompt);
          return typed?.shift();
        },
        async *lines() {
          yield 'fred';
        },
      }),
    },
    words,
  );
  return { code, said: process.said, complained: process.complained, asked };
}

const line = (user: string, password: string, realm = 'Momentum Console'): string =>
  `${user}:${realm}:${digestOf(user, realm, password)}\n`;

test('ec_md5passwd without a file asks for everything, and prints the line', async () => {
  const trial = await run(md5passwdProgram, simWorld(), [], { typed: ['secret', 'secret'] });
  expect(trial).toMatchObject({ code: 0, said: line('fred', 'secret'), asked: ['Password: ', 'Password: '] });
  expect(trial.complained).toMatch(
    /^Please enter password for fred\nPlease enter the password again\nPassword updated\./,
  );
});

test('the realm is that of -r, else of the environment, else Momentum Console', async () => {
  const words = ['fred', 'secret'];
  expect((await run(md5passwdProgram, simWorld(), ['-r', 'one', ...words], { realm: 'two' })).said).toBe(
    line('fred', 'secret', 'one'),
  );
  expect((await run(md5passwdProgram, simWorld(), words, { realm: 'two' })).said).toBe(line('fred', 'secret', 'two'));
});

test('a file is made when it is not there, but not its folder', async () => {
  const world = simWorld();
  const missing = await run(md5passwdProgram, world, ['-f', '/etc/none/passwd', 'fred', 'x']);
  expect([missing.code, missing.complained]).toEqual([
    1,
    'ec_md5passwd: /etc/none/passwd: there is no folder /etc/none\n',
  ]);
  await world.disk.makeDirectory('/etc/none');
  expect((await run(md5passwdProgram, world, ['-f', '/etc/none/passwd', 'fred', 'x'])).said).toBe(
    'Password updated.\n',
  );
  expect(world.disk.text('/etc/none/passwd')).toBe(line('fred', 'x'));
  expect((await world.disk.status('/etc/none/passwd'))?.mode).toBe(0o640);
});

test('only the line of that user and realm changes; comments, line ends, owner and mode stay', async () => {
  const world = simWorld();
  world.disk.owner = 77;
  const old = `# users\r\n${line('fred', 'old').replace('\n', '\r\n')}fred:other:x\r\n\xff:r:y`;
  world.disk.put('/p', Buffer.from(old, 'latin1'), 0o600);
  const before = world.disk.text('/p') ?? '';
  world.disk.owner = 0;
  expect((await run(md5passwdProgram, world, ['-f', '/p', 'fred', 'new'])).code).toBe(0);
  expect(world.disk.text('/p')).toBe(before.replace(line('fred', 'old').trim(), line('fred', 'new').trim()));
  expect(await world.disk.status('/p')).toMatchObject({ mode: 0o600, owner: 77 });
  expect((await run(md5passwdProgram, world, ['-f', '/p', 'ann', 'new'])).code).toBe(0);
  expect(world.disk.text('/p')?.endsWith(`\xff:r:y\r\n${line('ann', 'new').replace('\n', '\r\n')}`)).toBe(true);
});

test.each<[string, readonly string[], string]>([
  ['two passwords that differ', ['fred'], 'the passwords are not the same'],
  ['a colon in a name', ['fr:ed', 'x'], "':' is not allowed in a user name"],
  ['a name that begins like a comment', ['#fred', 'x'], 'a user name may not begin with #'],
  ['a colon in a realm', ['-r', 'a:b', 'fred', 'x'], "':' is not allowed in a realm"],
  ['a line break in a password', ['fred', 'a\nroot:r:'], 'control characters are not allowed in a password'],
  ['an empty password', ['fred', ''], 'no password'],
])('%s ends with 1', async (_what, words, why) => {
  const trial = await run(md5passwdProgram, simWorld(), words, { typed: ['one', 'two'] });
  expect(trial.code).toBe(1);
  expect(trial.complained).toContain(`ec_md5passwd: ${why}`);
  expect(trial.said).toBe('');
});

test('words that make no sense end with 2, -h with 0', async () => {
  expect((await run(md5passwdProgram, simWorld(), ['-x'])).code).toBe(2);
  expect((await run(md5passwdProgram, simWorld(), ['a', 'b', 'c'])).code).toBe(2);
  expect((await run(passwdProgram, simWorld(), ['-r', 'x', 'fred'])).code).toBe(2);
  expect((await run(md5passwdProgram, simWorld(), ['-h'])).code).toBe(0);
});

test('impetus passwd makes lines with which fred logs in, read from standard input', async () => {
  const world = simWorld();
  await world.disk.makeDirectory('/etc');
  const words = ['-f', '/etc/p', '--iterations', '4096', 'fred'];
  expect((await run(passwdProgram, world, words, { input: 'first\n' })).code).toBe(0);
  expect((await run(passwdProgram, world, words, { input: 'secret\n' })).code).toBe(0);
  expect(world.disk.text('/etc/p')).toMatch(/^fred:SCRAM-SHA-256\$4096:[^:$\n]+\$[^:$\n]+:[^:$\n]+\n$/);
  const stores = new CredentialStores({ ...world, events: events(world.clock, () => 1) });
  const store = readStoreAddress('scram:///etc/p');
  expect(await stores.verdict(store, 'fred', 'secret')).toBe('right');
  expect(await stores.verdict(store, 'fred', 'first')).toBe('wrong');
  const digest = await run(passwdProgram, world, ['--digest', 'fred'], { input: 'secret' });
  expect(digest.said).toBe(line('fred', 'secret'));
});
