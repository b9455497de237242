import { describe, expect, test } from 'vitest';
import { FakeHouse } from '../../test/support/console/fake-house.ts';
import { type Served, serve } from '../../test/support/console/peer.ts';
import { type AuthParameters, digestClient, digestOf, readStoreAddress } from '../auth/index.ts';
import { type Endpoint, parseEndpoint } from '../base/index.ts';
import type { AccountingEvent, DiagnosticEvent } from '../events/index.ts';
import { frame, frameKinds } from './frames.ts';
import { MOST_WAITING, MOST_WAITING_EACH } from './server.ts';

function endpoint(text: string): Endpoint {
  const at = parseEndpoint(text);
  if (at.kind === 'error') throw new Error(at.text);
  return at;
}

const at = endpoint('192.0.2.1:2025');
const parameters = (uri: string, logAuthentication = true): AuthParameters => ({
  store: readStoreAddress(uri),
  logAuthentication,
  realm: undefined,
});

interface Ground extends Served {
  readonly accounts: AccountingEvent[];
  readonly told: DiagnosticEvent[];
}

/** A house that lets fred in by DIGEST-MD5 or LOGIN over TCP. */
async function ground(values: Readonly<Record<string, unknown>> = {}, where: Endpoint = at): Promise<Ground> {
  const house = new FakeHouse();
  house.disk.put('/etc/passwords', `fred:Momentum Console:${digestOf('fred', 'Momentum Console', 'secret')}\n`);
  Object.assign(house.values, {
    authdigestmd5parameters: parameters('digest:///etc/passwords'),
    authloginparameters: parameters('digest:///etc/passwords'),
    ...values,
  });
  const accounts: AccountingEvent[] = [];
  const told: DiagnosticEvent[] = [];
  house.events.subscribe(['accounting'], (event) => void accounts.push(event));
  house.events.subscribe(['diagnostic'], (event) => void told.push(event));
  return { ...(await serve(house, 60, where)), accounts, told };
}

type Peer = ReturnType<Served['peer']>;
const LOGIN = Buffer.from('LOGIN');

async function shows(peer: Peer, kind: 'login' | 'respond', bytes: Uint8Array, wait = 1100): Promise<string[]> {
  peer.pipe.write(frame(frameKinds[kind], bytes));
  return peer.hears(wait);
}

async function entered(served: Served, user = 'fred', password = 'secret'): Promise<Peer> {
  const peer = served.peer();
  await peer.hears(10);
  await shows(peer, 'login', LOGIN);
  await shows(peer, 'respond', Buffer.from(user));
  await shows(peer, 'respond', Buffer.from(password));
  return peer;
}

test('the hello names the mechanisms, and nothing may be done before one has succeeded', async () => {
  const served = await ground();
  const peer = served.peer();
  expect(await peer.hears(10)).toEqual([expect.stringContaining('"login":["DIGEST-MD5","LOGIN"]')]);
  expect(await peer.says('pid')).toEqual(['output Authorization required for console session\n', 'end 4']);
  peer.send(frameKinds.complete, 'su');
  expect(await peer.hears(10)).toEqual(['end 4']);
  expect(await shows(peer, 'login', LOGIN)).toEqual(['challenge Username:']);
  expect(await shows(peer, 'respond', Buffer.from('fred'))).toEqual(['challenge Password:']);
  expect(await shows(peer, 'respond', Buffer.from('secret'))).toEqual(['granted ']);
  expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  expect(served.accounts).toMatchObject([
    {
      type: 'N',
      user: 'fred',
      result: 1,
      listener: '192.0.2.1:2025',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    },
  ]);
});

test('DIGEST-MD5 shows that both ends know the password, and its nonce is another for each try', async () => {
  const served = await ground();
  const nonces = new Set<string>();
  const peer = served.peer();
  await peer.hears(10);
  for (const [password, end] of [
    ['wrong', 'denied login failed'],
    ['secret', expect.stringMatching(/^granted rspauth=[0-9a-f]{32}$/)],
  ] as const) {
    const [challenge = ''] = await shows(peer, 'login', Buffer.from('DIGEST-MD5'));
    nonces.add(/nonce="([^"]+)"/.exec(challenge)?.[1] ?? '');
    const step = digestClient('fred', password, 'console/mx.example', 'cn').challenge(
      Buffer.from(challenge.replace('challenge ', '')),
    );
    expect(await shows(peer, 'respond', step.kind === 'response' ? (step.bytes ?? LOGIN) : LOGIN)).toEqual([end]);
  }
  expect(nonces.size).toBe(2);
});

test('a login that fails is answered late and the same for everybody, and the third ends the console', async () => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  for (const [index, user] of ['fred', 'nobody', 'fred'].entries()) {
    await shows(peer, 'login', Buffer.from(`LOGIN\0${user}`));
    expect(await shows(peer, 'respond', Buffer.from('guess'), 900)).toEqual([]);
    expect(await peer.hears(200)).toEqual([
      'denied login failed',
      ...(index === 2 ? ['bye too many failed logins'] : []),
    ]);
  }
  expect(peer.isClosed).toBe(true);
  expect(served.accounts.map(({ type, user, result }) => [type, user, result])).toEqual([
    ['N', 'fred', 0],
    ['N', 'nobody', 0],
    ['N', 'fred', 0],
  ]);
  expect(served.house.clock.pending).toBeLessThan(3);
});

test('a file that cannot be read lets nobody in, and says so', async () => {
  const served = await ground();
  await served.house.disk.remove('/etc/passwords');
  const peer = await entered(served);
  expect(peer.heard.at(-1)).toBe('denied nobody can log in now');
  expect(served.told.find(({ level }) => level === 'ERROR')?.text).toMatch(/^digest:\/\/\/etc\/passwords: there is no/);
});

test('who does not log in in time is told so, whatever he sends, and stands in the accounts', async () => {
  const served = await ground();
  const peer = served.peer();
  for (let second = 0; second < 59; second += 2) {
    await peer.hears(1900);
    peer.send(frameKinds.request, 'pid');
  }
  expect((await peer.hears(10_000)).at(-1)).toBe('bye no login within 60 seconds');
  expect(served.accounts).toMatchObject([{ type: 'T', user: '', result: 0 }]);
  expect(served.server.sessions).toBe(0);
});

test.each([
  ['a mechanism that is not offered', 'login', Buffer.from('PLAIN'), 'denied login failed'],
  ['an answer to nothing', 'respond', LOGIN, 'denied login failed'],
  ['a name that is not UTF-8', 'login', Buffer.from([...LOGIN, 0, 0xff]), 'denied login failed'],
] as const)('%s is a failure like others', async (_what, kind, bytes, end) => {
  const served = await ground();
  const peer = served.peer();
  await peer.hears(10);
  expect(await shows(peer, kind, bytes)).toEqual([end]);
});

describe('who must log in', () => {
  const none = { authdigestmd5parameters: undefined, authloginparameters: undefined };
  const needs = 'a console that others can reach needs a login: set Enable_Authentication and AuthDigestMD5Parameters';
  test.each<[string, string, Record<string, unknown>, string]>([
    ['parameters are enough over TCP', '192.0.2.1:1', {}, 'login'],
    ['parameters of a Unix socket’s own Listen are too', '/run/x', {}, 'login'],
    ['not where it is switched off', '/run/x', { enable_authentication: false }, 'open'],
    ['nor on loopback', '127.0.0.1:1', { enable_authentication: false }, 'open'],
    [
      'but on other addresses switching it off closes the console',
      '0.0.0.0:1',
      { enable_authentication: false },
      needs,
    ],
    ['so does to have nothing', '[::]:1', none, needs],
    ['on loopback that is open', '[::1]:1', none, 'open'],
    ['a login without a way to log in is none', '/run/x', { ...none, enable_authentication: true }, 'Enable_Auth'],
    ['Always_Allow needs none', '0.0.0.0:1', { always_allow: true }, 'open'],
    ['Always_Deny wins', '/run/x', { always_allow: true, always_deny: true }, 'Authorization required'],
  ])('%s', async (_what, where, values, wanted) => {
    const served = await ground(values, endpoint(where));
    const heard = await served.peer().says('pid');
    if (wanted === 'open') expect(heard.slice(1)).toEqual(['output 4711\n', 'end 0']);
    else if (wanted === 'login') expect(heard.slice(1)).toEqual([expect.stringMatching(/^output Author/), 'end 4']);
    else {
      expect(heard.at(-1)).toMatch(`bye ${wanted}`);
      expect([served.server.sessions, served.origins[0]?.ends]).toEqual([0, 1]);
    }
  });

  test('Always_Deny counts as a login that failed', async () => {
    const served = await ground({ always_deny: true });
    expect(await served.peer().hears(10)).toEqual([
      'denied Authorization required for console session',
      'bye Authorization required for console session',
    ]);
    expect(served.accounts).toMatchObject([{ type: 'N', result: 0 }]);
  });
});

describe('which user of the system a client of a Unix socket is', () => {
  async function unix(): Promise<Ground & { readonly path: () => string; readonly peer: () => Peer }> {
    const house = new FakeHouse();
    house.disk.put('/etc/passwd', 'root:x:0:0::/:\nfred:x:1000:1000::/:\n');
    await house.disk.makeDirectory('/tmp', 0o1777);
    const accounts: AccountingEvent[] = [];
    house.events.subscribe(['accounting'], (event) => void accounts.push(event));
    const served = await serve(house);
    const one = served.peer();
    await one.hears(10);
    const path = (): string => /"prove":"([^"]+)"/.exec(one.heard[0] ?? '')?.[1] ?? '';
    return { ...served, accounts, told: [], path, peer: () => one };
  }
  const proves = async (peer: Peer): Promise<string[]> => {
    peer.pipe.write(frame(frameKinds.proved, new Uint8Array(0)));
    return peer.hears(10);
  };

  test('is whose directory stands where the server said; it is gone then', async () => {
    const { house, path, peer, accounts } = await unix();
    expect(path()).toMatch(/^\/tmp\/\.impetus-login-[0-9a-f]{16}-[0-9a-f]{32}$/);
    house.disk.owner = 1000;
    await house.disk.makeDirectory(path(), 0o700);
    expect(await proves(peer())).toEqual(['granted fred']);
    expect(await house.disk.status(path())).toBeUndefined();
    expect(await peer().says('authz id')).toEqual([expect.stringContaining('username="fred"'), 'end 0']);
    expect(accounts.map(({ type, user }) => [type, user])).toEqual([
      ['N', 'fred'],
      ['Z', 'fred'],
    ]);
  });

  test('nothing, a file, and a directory that others may write prove nothing', async () => {
    for (const make of ['nothing', 'file', 'open directory'] as const) {
      const { house, path, peer } = await unix();
      house.disk.owner = 1000;
      if (make === 'file') house.disk.put(path(), '', 0o700);
      if (make === 'open directory') await house.disk.makeDirectory(path(), 0o770);
      expect(await proves(peer())).toEqual(['denied not proved']);
      expect(await peer().says('json authz id')).toEqual([expect.stringContaining('"username": ""'), 'end 0']);
    }
  });

  test('a link proves nothing, whoever owns it', async () => {
    const { house, path, peer } = await unix();
    const status = house.disk.status.bind(house.disk);
    house.disk.status = async (at) =>
      at === path() ? { kind: 'link', size: 0, modified: house.clock.date(), mode: 0o700, owner: 0 } : status(at);
    expect(await proves(peer())).toEqual(['denied not proved']);
  });

  test('a client that shows nothing is nobody, and cannot make up for it later', async () => {
    const { house, path, peer, accounts } = await unix();
    expect(await peer().says('pid')).toEqual(['output 4711\n', 'end 0']);
    await house.disk.makeDirectory(path(), 0o700);
    expect(await proves(peer())).toEqual(['bye frame kind 80 is not known']);
    expect(accounts[0]).toMatchObject({ type: 'N', user: '', result: 1 });
  });

  test('a directory that is not sticky, or not root’s, is not trusted with it', async () => {
    for (const [mode, owner] of [
      [0o777, 0],
      [0o1777, 1000],
    ] as const) {
      const house = new FakeHouse();
      house.disk.owner = owner;
      await house.disk.makeDirectory('/tmp', mode);
      const one = (await serve(house)).peer();
      expect(await one.hears(10)).toEqual([expect.not.stringContaining('prove')]);
    }
  });
});

describe('what each may do', () => {
  async function roles(): Promise<Ground> {
    const served = await ground({
      enable_authorization: true,
      authorizationparameters: { store: readStoreAddress('groups:///g') },
    });
    served.house.disk.put('/g', 'admin:fred,ann\nroot:ann\n');
    Object.assign(served.house.roles, { fred: [/^pid$/], admin: [/^config/, /^summary$/], root: [/./], '': [/./] });
    return served;
  }

  test('the user’s own role and those of his groups allow; everything else is refused and accounted', async () => {
    const served = await roles();
    const peer = await entered(served);
    const refused = ['output Not Authorized for this command\n', 'end 5'];
    expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
    expect((await peer.says('config get X')).at(-1)).toBe('end 0');
    expect((await peer.says('json summary')).at(-1)).toBe('end 0');
    expect(await peer.says('summary reset')).toEqual(refused);
    expect(await peer.says('shutdown')).toEqual(refused);
    expect(served.house.shutdowns).toEqual([]);
    for (const line of ['help', 'help pid', 'authz id']) expect((await peer.says(line)).at(-1)).toBe('end 0');
    expect(
      served.accounts.filter(({ type }) => type === 'Z').map((each) => [each.command, each.result, each.role]),
    ).toEqual([
      ['pid', 1, 'fred'],
      ['config get X', 1, 'admin'],
      ['json summary', 1, 'admin'],
      ['summary reset', 0, undefined],
      ['shutdown', 0, undefined],
      ['help', 1, undefined],
      ['help pid', 1, undefined],
      ['authz id', 1, undefined],
    ]);
  });

  test('blanks, quotes and prefixes do not lead past a pattern', async () => {
    const served = await roles();
    Object.assign(served.house.roles, { fred: [/^(?!shutdown|config set)/], admin: [] });
    const peer = await entered(served);
    for (const line of ['  shutdown', 'json  shutdown', 'xml shutdown', 'json config   set X', 'config\tset X y'])
      expect((await peer.says(line)).at(-1), line).toMatch(/^end [25]$/);
    // A quoted word is no command.
    expect(await peer.says('"shutdown"')).toEqual(['output shutdown command not understood\n', 'end 2']);
    expect(served.house.shutdowns).toEqual([]);
    expect(served.house.configLines).toEqual([]);
  });

  test('a groups file that is broken is an error, not a yes; what the user’s own role allows still holds', async () => {
    const served = await roles();
    served.house.disk.put('/g', 'a:b:c:d');
    const peer = await entered(served);
    expect((await peer.says('pid')).at(-1)).toBe('end 0');
    expect((await peer.says('summary')).at(-1)).toBe('end 5');
    expect(served.accounts.at(-1)).toMatchObject({ type: 'Z', result: -1, command: 'summary' });
  });

  test('what a commit takes away is taken from consoles that are open', async () => {
    const served = await roles();
    const peer = await entered(served);
    expect((await peer.says('pid')).at(-1)).toBe('end 0');
    served.house.roles.fred = [];
    expect((await peer.says('pid')).at(-1)).toBe('end 5');
  });

  test('authz tells who one is and what roles there are, as XML and as JSON', async () => {
    const served = await ground({ authorizationparameters: { store: readStoreAddress('groups:///g') } });
    served.house.disk.put('/g', 'users:fred\nadm"<in:ann\n');
    served.house.roles.extra = [];
    const peer = await entered(served);
    const id =
      '<AuthzInformation username="fred">\n  <Roles>\n    <Role name="users"/>\n  </Roles>\n</AuthzInformation>\n';
    expect(await peer.says('authz id')).toEqual([`output ${id}`, 'end 0']);
    expect(await peer.says('xml authz id')).toEqual([`output ${id}`, 'end 0']);
    expect((await peer.says('authz roles list')).join()).toContain(
      '<Roles>\n <Role name="users"/>\n <Role name="adm&#34;&#60;in"/>\n <Role name="extra"/>\n</Roles>\n',
    );
    const [json = ''] = await peer.says('json authz roles list');
    expect(JSON.parse(json.replace('output ', ''))).toEqual({ roles: ['users', 'adm"<in', 'extra'] });
  });

  test('a password that is set does not get into the logs', async () => {
    const served = await roles();
    const peer = await entered(served);
    await peer.says('config set Domain "a.b" Outbound_SMTP_Auth_Pass = hunter2', 'config set x_token "hunter2 3"');
    expect(JSON.stringify([served.accounts, served.told])).not.toContain('hunter2');
    expect(served.accounts.at(-2)?.command).toBe('config set Domain "a.b" Outbound_SMTP_Auth_Pass = ***');
  });

  test('over TCP logins and commands are accounted only where that is asked for; over Unix sockets always', async () => {
    const quiet = {
      authdigestmd5parameters: undefined,
      authloginparameters: parameters('digest:///etc/passwords', false),
    };
    const tcp = await ground(quiet);
    await (await entered(tcp)).says('pid');
    expect(tcp.accounts).toEqual([]);
    const unix = await ground({ ...quiet, enable_authentication: true }, endpoint('/run/x'));
    await (await entered(unix)).says('pid');
    expect(unix.accounts.map(({ type, user, peer }) => [type, user, peer])).toEqual([
      ['N', 'fred', ''],
      ['Z', 'fred', ''],
    ]);
  });
});

describe('a flood', () => {
  test('of clients that never log in leaves room for one who does', async () => {
    const served = await ground();
    const idle = [];
    for (let client = 0; client < MOST_WAITING + 50; client++) {
      idle.push(served.peerFrom(`198.51.100.${1 + (client % 200)}`));
      await served.house.clock.advance(1);
    }
    await served.house.clock.advance(100);
    expect(served.server.sessions).toBe(MOST_WAITING);
    expect(idle.filter((each) => each.isClosed)).toHaveLength(50);
    const peer = await entered(served);
    expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  });

  test('from one address is stopped early, told once a second with a count, and counted', async () => {
    const served = await ground();
    const all = Array.from({ length: 500 }, () => served.peer());
    await served.house.clock.advance(500);
    expect(served.server.sessions).toBe(MOST_WAITING_EACH);
    expect(all.at(-1)?.heard).toEqual(['bye too many clients of this address wait for a login']);
    await served.house.clock.advance(2000);
    const lines = served.told.filter(({ text }) => text.includes('refused'));
    expect(lines).toHaveLength(2);
    expect(lines[1]?.text).toMatch(/\(489 in the last second\)$/);
    expect(served.server.counts).toEqual({ served: MOST_WAITING_EACH, refused: 490, broken: 0 });
    expect(served.origins.filter(({ ends }) => ends === 1)).toHaveLength(490);
  });

  test('of garbage is closed, counted, and one line a second', async () => {
    const served = await ground();
    for (let client = 0; client < 100; client++) {
      const peer = served.peer();
      peer.pipe.write([Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
      await served.house.clock.advance(5);
    }
    await served.house.clock.advance(3000);
    expect(served.server.sessions).toBe(0);
    expect(served.server.counts.broken).toBe(100);
    expect(served.told.length).toBeLessThan(5);
    expect(served.house.clock.pending).toBe(0);
  });

  test('of listings that nobody reads to their end leaves no generator, no session and no snapshot', async () => {
    const served = await ground({ always_allow: true });
    const { house } = served;
    const open = { generators: 0, snapshots: 0, most: 0 };
    house.moduleCommands = [
      {
        words: 'list',
        summary: '',
        async *run() {
          open.generators++;
          open.snapshots++;
          open.most = Math.max(open.most, open.generators);
          try {
            for (;;) yield `${'x'.repeat(4095)}\n`;
          } finally {
            open.generators--;
            open.snapshots--;
          }
        },
      },
    ];
    const peers = Array.from({ length: 40 }, () => served.peer());
    await house.clock.advance(10);
    for (const peer of peers) {
      peer.pipe.pause();
      peer.send(frameKinds.request, 'list');
    }
    await house.clock.advance(1000);
    expect(open).toEqual({ generators: 40, snapshots: 40, most: 40 });
    for (const [index, peer] of peers.entries()) if (index % 2 === 0) peer.pipe.destroy();
    await house.clock.advance(1000);
    expect([open.generators, served.server.sessions]).toEqual([20, 20]);
    // Those that are there and do not read are cut off after the idle time.
    await house.clock.advance(61_000);
    expect([open.generators, open.snapshots, served.server.sessions]).toEqual([0, 0, 0]);
    expect(house.configSessions).toMatchObject({ opened: 40, disposed: 40 });
    expect(house.clock.pending).toBe(0);
  });
});
