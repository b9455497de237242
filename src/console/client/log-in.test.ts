import { expect, test } from 'vitest';
import { Desk } from '../../../test/support/console/desk.ts';
import { FakeHouse } from '../../../test/support/console/fake-house.ts';
import { serve } from '../../../test/support/console/peer.ts';
import { digestOf, readStoreAddress, scramSecret, scramText } from '../../auth/index.ts';
import { type Endpoint, parseEndpoint } from '../../base/index.ts';
import type { AccountingEvent } from '../../events/index.ts';
import { simHashing } from '../../world/sim/hashing.ts';

function endpoint(text: string): Endpoint {
  const at = parseEndpoint(text);
  if (at.kind === 'error') throw new Error(at.text);
  return at;
}

const of = (uri: string) => ({ store: readStoreAddress(uri), logAuthentication: true, realm: undefined });
const salt = Buffer.from('salt of sixteen.');
const scramLine = async (): Promise<string> =>
  `fred:${scramText(scramSecret(await simHashing.pbkdf2(Buffer.from('secret'), salt, 4096), salt, 4096))}`;

async function house(...mechanisms: readonly ('scram' | 'digest' | 'login')[]): Promise<FakeHouse> {
  const made = new FakeHouse();
  made.disk.put('/d', `fred:Momentum Console:${digestOf('fred', 'Momentum Console', 'secret')}\n`);
  made.disk.put('/s', await scramLine());
  Object.assign(made.values, {
    ...(mechanisms.includes('scram') ? { authscramsha256parameters: of('scram:///s') } : {}),
    ...(mechanisms.includes('digest') ? { authdigestmd5parameters: of('digest:///d') } : {}),
    ...(mechanisms.includes('login') ? { authloginparameters: of('scram:///s') } : {}),
  });
  return made;
}

const TCP = endpoint('192.0.2.1:2025');
test.each([
  [['scram', 'digest', 'login'], ''],
  [['digest', 'login'], ''],
  [['login'], 'ec_console: the password goes over the network in clear\n'],
] as const)('of %j the strongest is used, and a password in clear is warned of', async (mechanisms, complaint) => {
  const served = await serve(await house(...mechanisms), 60, TCP);
  const desk = new Desk();
  desk.secrets = ['secret'];
  expect(await desk.run(served, 'fred@192.0.2.1:2025', 'json', 'authz', 'id')).toBe(0);
  expect(desk.screen).toBe(
    'Authorization required for console session\nPassword: \n{\n  "username": "fred",\n  "roles": []\n}\n',
  );
  expect(desk.complaints).toBe(complaint);
});

test('somebody at the keyboard may try three times, and the exit code says that the login failed', async () => {
  const served = await serve(await house('digest'), 60, TCP);
  const desk = new Desk();
  desk.secrets = ['a', 'b', 'secret'];
  expect(await desk.run(served, 'fred@192.0.2.1:2025', 'pid')).toBe(0);
  const other = new Desk();
  other.secrets = ['a', 'b', 'c', 'secret'];
  expect(await other.run(served, 'fred@192.0.2.1:2025', 'pid')).toBe(4);
  expect(other.complaints).toBe('ec_console: fred@192.0.2.1:2025: login failed\n');
  expect(other.secrets).toEqual(['secret']);
  const leaving = new Desk();
  expect(await leaving.run(served, 'fred@192.0.2.1:2025', 'pid')).toBe(4);
  await served.house.clock.advance(2000);
  expect(served.server.sessions).toBe(0);
});

test('without a user in the endpoint it is the one of the shell; with none it is a mistake', async () => {
  const served = await serve(await house('scram'), 60, TCP);
  const desk = new Desk();
  desk.shell.USER = 'fred';
  desk.secrets = ['secret'];
  expect(await desk.run(served, '192.0.2.1:2025', 'pid')).toBe(0);
  expect(await new Desk().run(served, '192.0.2.1:2025', 'pid')).toBe(4);
});

test('a batch has its password from a file or the environment, and tries it once', async () => {
  const served = await serve(await house('scram'), 60, TCP);
  const batch = (): Desk => {
    const desk = new Desk();
    desk.stdin = 'pid\n';
    return desk;
  };
  const fromFile = batch();
  fromFile.disk.put('/run/password', 'secret\r\nand more\n');
  expect(await fromFile.run(served, '--password-file', 'password', 'fred@192.0.2.1:2025')).toBe(0);
  expect(fromFile.screen).toBe('4711\n');
  const fromShell = batch();
  fromShell.shell.EC_CONSOLE_PASSWORD = 'secret';
  expect(await fromShell.run(served, 'fred@192.0.2.1:2025')).toBe(0);
  const wrong = batch();
  wrong.shell.EC_CONSOLE_PASSWORD = 'wrong';
  expect(await wrong.run(served, 'fred@192.0.2.1:2025')).toBe(4);
  const none = batch();
  none.secrets = ['secret'];
  expect(await none.run(served, 'fred@192.0.2.1:2025')).toBe(4);
  expect([none.screen, none.complaints]).toEqual([
    '',
    'ec_console: fred@192.0.2.1:2025: a password is wanted: --password-file or $EC_CONSOLE_PASSWORD give one to a batch\n',
  ]);
  const missing = batch();
  expect(await missing.run(served, '--password-file', '/none', 'fred@192.0.2.1:2025')).toBe(4);
});

test('a command that no role allows ends with 5', async () => {
  const made = await house('digest');
  made.values.enable_authorization = true;
  made.roles.fred = [/^version/];
  const served = await serve(made, 60, TCP);
  const desk = new Desk();
  desk.secrets = ['secret'];
  expect(await desk.run(served, 'fred@192.0.2.1:2025', 'pid')).toBe(5);
  expect(desk.screen).toMatch(/Not Authorized for this command\n$/);
});

test('Always_Deny is a login that failed', async () => {
  const made = new FakeHouse();
  made.values.always_deny = true;
  const desk = new Desk();
  expect(await desk.run(await serve(made), '/run/impetus/2025', 'pid')).toBe(4);
  expect(desk.complaints).toBe('ec_console: /run/impetus/2025: Authorization required for console session\n');
});

test('at the prompt a lost connection is made again, with the password that has worked', async () => {
  const served = await serve(await house('scram'), 60, TCP);
  const desk = new Desk();
  desk.secrets = ['secret'];
  desk.typed = ['pid', () => desk.waits(served, 61_000), 'pid', 'quit'];
  expect(await desk.run(served, 'fred@192.0.2.1:2025')).toBe(0);
  expect(desk.screen.match(/4711/g)).toHaveLength(2);
  expect(desk.screen.match(/Password/g)).toHaveLength(1);
});

test('ssh makes the connection: its words, and a login behind it', async () => {
  const served = await serve(await house('login'), 60, TCP);
  const desk = new Desk();
  desk.through = TCP;
  desk.secrets = ['secret'];
  expect(await desk.run(served, 'ssh://ops@mail.example:2222/fred@192.0.2.1:2025', 'pid')).toBe(0);
  expect(desk.ssh).toEqual([['ssh', '-W', '192.0.2.1:2025', '-l', 'ops', '-p', '2222', '--', 'mail.example']]);
  // What ssh carries is not in clear.
  expect(desk.complaints).toBe('');
  await new Desk().run(served, 'ssh://mail.example', 'pid');
});

test('over a Unix socket a client shows which user of the system it is, and cleans up', async () => {
  const made = new FakeHouse();
  await made.disk.makeDirectory('/tmp', 0o1777);
  made.disk.put('/etc/passwd', 'fred:x:1000:1000::/:\n');
  const accounts: AccountingEvent[] = [];
  made.events.subscribe(['accounting'], (event) => void accounts.push(event));
  const served = await serve(made);
  const desk = new Desk();
  desk.disk = made.disk;
  made.disk.owner = 1000;
  expect(await desk.run(served, '/run/impetus/2025', 'authz', 'id')).toBe(0);
  expect(desk.screen).toContain('username="fred"');
  expect(await made.disk.list('/tmp')).toEqual([]);
  expect(accounts.map(({ type, user }) => `${type} ${user}`)).toEqual(['N fred', 'Z fred']);
});

test('a server on another socket that passes on a name of ours gets no directory for it', async () => {
  const made = new FakeHouse();
  await made.disk.makeDirectory('/tmp', 0o1777);
  // It is another path by which the client comes: as through a link, or to somebody who lies in wait.
  const served = await serve(made, 60, endpoint('/run/impetus/2025'));
  await served.network.listen(endpoint('/tmp/evil'), { backlog: 1, fileMode: 0o666 }, (pipe) => {
    const far = served.network.connect(endpoint('/run/impetus/2025'), undefined, {
      opened: () => {},
      data: (bytes) => void pipe.write([bytes]),
      drained: () => {},
      closed: () => pipe.end(),
    });
    return { data: (bytes) => void far.write([bytes]), drained: () => {}, closed: () => far.destroy() };
  });
  const desk = new Desk();
  desk.disk = made.disk;
  made.disk.owner = 1000;
  expect(await desk.run(served, '/tmp/evil', 'json', 'authz', 'id')).toBe(0);
  expect(desk.screen).toContain('"username": ""');
  expect(made.disk.done.get('makeDirectory')).toBe(1);
});
