import { describe, expect, test } from 'vitest';
import { ListeningHouse } from '../../test/support/listening.ts';
import { ConfigError, ConfigErrors, type Generation, type Option } from '../config/index.ts';
import { receptionOptions } from '../reception/index.ts';
import { ListenError } from './sockets.ts';

const idleTime = receptionOptions.find((option) => option.name === 'idle_time') as Option<number>;

const esmtp = (...listens: readonly string[]): string =>
  `ESMTP_Listener { ${listens.map((each) => (each.includes('{') ? each : `Listen "${each}" { }`)).join(' ')} }`;

describe('start', () => {
  test('opens every enabled Listen with its backlog and mode', async () => {
    const house = await ListeningHouse.with(
      `${esmtp(':25', 'Listen "[*]:25" { Listen_Backlog = 7 }', 'Listen ":26" { Enable = false }', 'Listen "/s" { File_Mode = 0600 }')}
       Control_Listener { Disable_Nagle_Algorithm = true Listen "/tmp/2025" { } }`,
    );
    expect(house.keys).toEqual(['/s', '/tmp/2025', '0.0.0.0:25', '[::]:25']);
    const open = house.world.network.listening;
    expect(open.get('[::]:25')).toMatchObject({ backlog: 7, noDelay: false });
    expect(open.get('/s')?.fileMode).toBe(0o600);
    expect(open.get('/tmp/2025')).toMatchObject({ backlog: 500, fileMode: 0o660, noDelay: true });
    expect(house.doors.names).toContain('ESMTP_Listener 0.0.0.0:25');
  });

  test('fails as a whole, and names the endpoint and what a low port needs', async () => {
    const house = new ListeningHouse();
    await house.build(esmtp('10.0.0.1:2525', '10.0.0.2:25'));
    house.world.network.refuseBind('10.0.0.2:25', 'EACCES');
    const failed = house.doors.open();
    await expect(failed).rejects.toBeInstanceOf(ListenError);
    await expect(failed).rejects.toThrow(
      'cannot bind 10.0.0.2:25: simulated EACCES: a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE',
    );
    expect(house.keys).toEqual([]);
  });

  test('a wildcard and an address of one port overlap, and the error says so', async () => {
    const house = new ListeningHouse();
    await house.build(esmtp(':25', '127.0.0.1:25'));
    await expect(house.doors.open()).rejects.toThrow('cannot bind 0.0.0.0:25: *:25 overlaps 127.0.0.1:25');
    const six = new ListeningHouse();
    await six.build(esmtp('[::1]:25', '[*]:25'));
    await expect(six.doors.open()).rejects.toThrow('cannot bind [::]:25: [*]:25 overlaps [::1]:25');
  });

  test('the wildcards of both families stand side by side', async () => {
    const house = await ListeningHouse.with(esmtp(':25', '[*]:25'));
    expect(house.keys).toEqual(['0.0.0.0:25', '[::]:25']);
  });

  test('without a Control_Listener the default socket is opened, and only noticed when it cannot be', async () => {
    const house = new ListeningHouse();
    await house.build(esmtp(':25'));
    house.world.network.refuseBind('/c', 'EACCES');
    await house.doors.open();
    expect(house.keys).toEqual(['0.0.0.0:25']);
    expect(house.lines).toEqual(['NOTICE no console socket: cannot bind /c: simulated EACCES']);
    // Later commits try it again, and are silent about the same.
    await house.config('set esmtp_listener idle_time 5');
    await house.reload(esmtp(':25', ':26'));
    expect(house.lines).toHaveLength(1);
    house.world.network.healBind('/c');
    await house.reload(esmtp(':25'));
    expect(house.doors.names).toContain('Control_Listener /c');
  });

  test('a type that nobody serves is not opened, with one notice', async () => {
    const text = `${esmtp(':25')} HTTP_Listener { Listen ":2081" { } }`;
    const house = await ListeningHouse.with(text);
    await house.reload(`${text} Hostname = "a.test"`);
    expect(house.keys).toEqual(['0.0.0.0:25']);
    expect(house.lines).toEqual(['NOTICE 0.0.0.0:2081 is not opened: no HTTP_Listener is implemented yet']);
  });

  test('a tolerant one goes on without the sockets that fail, and other changes are not kept from it', async () => {
    const house = new ListeningHouse();
    await house.build(esmtp(':25', ':26'), { tolerant: true });
    house.world.network.refuseBind('0.0.0.0:25', 'EADDRINUSE');
    await house.doors.open();
    expect(house.keys).toEqual(['0.0.0.0:26']);
    expect(house.lines).toEqual(['ERROR cannot bind 0.0.0.0:25: simulated EADDRINUSE; the server goes on without it']);
    await house.config('set esmtp_listener idle_time 5');
    expect(house.configuration.current.number).toBe(2);
    // But a socket that is new must open.
    house.world.network.refuseBind('0.0.0.0:27', 'EADDRINUSE');
    await expect(house.reload(esmtp(':25', ':26', ':27'))).rejects.toThrow('cannot bind 0.0.0.0:27');
    house.world.network.healBind('0.0.0.0:25');
    await house.reload(esmtp(':25', ':26'));
    expect(house.keys).toEqual(['0.0.0.0:25', '0.0.0.0:26']);
    // Once it is open it is as any other.
    await house.reload(esmtp(':26'));
    house.world.network.refuseBind('0.0.0.0:25');
    await expect(house.reload(esmtp(':25', ':26'))).rejects.toThrow('cannot bind 0.0.0.0:25');
  });
});

describe('a commit', () => {
  test('keeps what is in both, opens what is new first, and then closes what is gone', async () => {
    const house = await ListeningHouse.with(esmtp(':25', ':26'));
    await house.reload(esmtp(':25', ':27'));
    expect(house.steps).toEqual(['+0.0.0.0:27', '-0.0.0.0:26']);
  });

  test('goes from an address to the wildcard and back, each in one reload, and connections live on', async () => {
    const house = await ListeningHouse.with(esmtp('127.0.0.1:2525'));
    const first = await house.connect('127.0.0.1:2525', '127.0.0.1');
    await house.reload(esmtp('*:2525'));
    expect(house.keys).toEqual(['0.0.0.0:2525']);
    const second = await house.connect('10.0.0.7:2525');
    await house.reload(esmtp('127.0.0.1:2525'));
    expect(house.keys).toEqual(['127.0.0.1:2525']);
    expect([first.state, second.state]).toEqual(['open', 'open']);
    expect((await house.connect('10.0.0.7:2525')).why).toBe('ECONNREFUSED');
    expect(house.steps).toEqual(['-127.0.0.1:2525', '+0.0.0.0:2525', '-0.0.0.0:2525', '+127.0.0.1:2525']);
  });

  test('goes from one address to another without a moment in which nobody listens', async () => {
    const house = await ListeningHouse.with(esmtp('10.0.0.1:25'));
    await house.reload(esmtp('10.0.0.2:25'));
    expect(house.steps).toEqual(['+10.0.0.2:25', '-10.0.0.1:25']);
  });

  test('config set … enable false closes one socket, true opens it again; other sockets and sessions stay', async () => {
    const house = await ListeningHouse.with(esmtp(':25', ':587'));
    const client = await house.connect('127.0.0.1:25');
    const session = house.lastView;
    expect(await house.config('set esmtp_listener listen :25 enable false')).toContain('nable = false');
    expect(house.keys).toEqual(['0.0.0.0:587']);
    expect(client.state).toBe('open');
    // The session sees nothing of it: it is not sent away with 421 at its next MAIL.
    expect(session.sameIn(house.configuration.current)).toBe(true);
    await house.config('set esmtp_listener listen :25 enable true');
    expect(house.keys).toEqual(['0.0.0.0:25', '0.0.0.0:587']);
    expect(session.sameIn(house.configuration.current)).toBe(true);
    expect(house.steps).toEqual(['-0.0.0.0:25', '+0.0.0.0:25']);
    await house.config('set esmtp_listener enable false');
    expect(house.keys).toEqual([]);
    expect(client.state).toBe('open');
  });

  test('a changed backlog, mode or Nagle is given to the open socket; clients in its backlog are not lost', async () => {
    const house = await ListeningHouse.with(esmtp(':25', '/s'));
    await house.reload(esmtp('Listen ":25" { Listen_Backlog = 9 }', 'Listen "/s" { File_Mode = 0600 }'));
    expect(house.steps).toEqual(['~0.0.0.0:25', '~/s']);
    expect(house.world.network.listening.get('0.0.0.0:25')?.backlog).toBe(9);
    expect(house.world.network.listening.get('/s')?.fileMode).toBe(0o600);
  });

  test('that cannot open a socket is refused, and everything is as before', async () => {
    const house = await ListeningHouse.with(esmtp('127.0.0.1:25', ':27', '/s'));
    house.world.network.refuseBind('0.0.0.0:25', 'EACCES');
    const next = esmtp(':25', ':26', 'Listen "/s" { File_Mode = 0600 }');
    const failed = house.reload(next);
    await expect(failed).rejects.toBeInstanceOf(ConfigErrors);
    await expect(failed).rejects.toThrow('cannot bind 0.0.0.0:25');
    expect(house.configuration.current.number).toBe(1);
    expect(house.keys).toEqual(['/s', '0.0.0.0:27', '127.0.0.1:25']);
    expect((await house.connect('127.0.0.1:25')).heard).toBe('hello');
    expect(house.steps).toEqual(['+0.0.0.0:26', '-127.0.0.1:25', '+127.0.0.1:25', '-0.0.0.0:26']);
    house.world.network.healBind('0.0.0.0:25');
    await house.reload(next);
    expect(house.keys).toEqual(['/s', '0.0.0.0:25', '0.0.0.0:26']);
  });

  test('whose change of an open socket fails takes back the changes before it', async () => {
    const house = await ListeningHouse.with(esmtp(':25', '/s'));
    house.world.network.refuseBind('/s', 'EPERM');
    await expect(
      house.reload(esmtp('Listen ":25" { Listen_Backlog = 9 }', 'Listen "/s" { File_Mode = 0600 }', ':26')),
    ).rejects.toThrow('cannot change /s: simulated EPERM');
    expect(house.keys).toEqual(['/s', '0.0.0.0:25']);
    expect(house.world.network.listening.get('0.0.0.0:25')?.backlog).toBe(500);
  });

  test('that cannot give back what it closed says so as loudly as it can, and tries again at the next', async () => {
    const house = await ListeningHouse.with(esmtp('127.0.0.1:25'));
    house.world.network.refuseBind('0.0.0.0:25');
    house.world.network.refuseBind('127.0.0.1:25');
    await expect(house.reload(esmtp(':25'))).rejects.toThrow('cannot bind 0.0.0.0:25');
    expect(house.lines.at(-1)).toMatch(/^CRITICAL 127\.0\.0\.1:25 was closed for a commit that failed, and is lost/);
    house.world.network.healBind('127.0.0.1:25');
    await house.config('set esmtp_listener idle_time 7');
    expect(house.keys).toEqual(['127.0.0.1:25']);
  });

  test('that somebody else vetoes leaves the sockets as they were', async () => {
    const house = await ListeningHouse.with(esmtp('127.0.0.1:25', 'Listen ":26" { Listen_Backlog = 5 }'));
    const veto = house.configuration.beforeCommit((_next: Generation) => {
      throw new ConfigError('not today');
    });
    await expect(house.reload(esmtp(':25', ':26', ':27'))).rejects.toThrow('not today');
    await house.world.clock.settle();
    expect(house.keys).toEqual(['0.0.0.0:26', '127.0.0.1:25']);
    expect(house.world.network.listening.get('0.0.0.0:26')?.backlog).toBe(5);
    expect((await house.connect('127.0.0.1:25')).heard).toBe('hello');
    veto[Symbol.dispose]();
    await house.reload(esmtp(':25', ':26', ':27'));
    expect(house.keys).toEqual(['0.0.0.0:25', '0.0.0.0:26', '0.0.0.0:27']);
  });

  test('serves who connects to a new socket only when it is current, with its values', async () => {
    const house = await ListeningHouse.with(esmtp(':25'));
    let release = (): void => undefined;
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    using _late = house.configuration.beforeCommit(() => hold);
    const reload = house.reload(esmtp(':25', 'Listen ":26" { Idle_Time = 12 }'));
    await house.world.clock.settle();
    const early = await house.connect('10.0.0.1:26');
    expect([early.state, early.heard]).toEqual(['open', '']);
    release();
    await reload;
    await house.world.clock.advance(10);
    expect(early.heard).toBe('hello');
    expect(house.lastView.get(idleTime)).toBe(12);
  });

  test('lets go who connected to a socket of a commit that is vetoed', async () => {
    const house = await ListeningHouse.with(esmtp(':25'));
    let refuse: (why: Error) => void = () => undefined;
    const hold = new Promise<void>((_, reject) => {
      refuse = reject;
    });
    using _late = house.configuration.beforeCommit(() => hold);
    const reload = house.reload(esmtp(':25', ':26'));
    reload.catch(() => undefined);
    await house.world.clock.settle();
    const early = await house.connect('10.0.0.1:26');
    refuse(new ConfigError('no'));
    await expect(reload).rejects.toThrow('no');
    await house.world.clock.advance(10);
    expect([early.state, early.heard, house.keys]).toEqual(['closed', '', ['0.0.0.0:25']]);
  });

  test('does nothing once the listeners are closed', async () => {
    const house = await ListeningHouse.with(esmtp(':25'));
    await house.doors.close();
    await house.reload(esmtp(':26'));
    expect(house.keys).toEqual([]);
  });

  test('plan says what a generation would do and touches nothing', async () => {
    const house = await ListeningHouse.with(esmtp('127.0.0.1:25', ':26'));
    const other = await ListeningHouse.with(esmtp(':25', 'Listen ":26" { Listen_Backlog = 1 }'));
    const plan = house.doors.plan(other.configuration.current);
    expect(plan.reopen.map((port) => [port.close[0]?.key, port.open[0]?.key])).toEqual([
      ['127.0.0.1:25', '0.0.0.0:25'],
    ]);
    expect(plan.change.map(({ from, to }) => [from.backlog, to.backlog])).toEqual([[500, 1]]);
    expect(house.steps).toEqual([]);
  });
});

describe('a connection', () => {
  test('is handed to its handler with the generation of now', async () => {
    const house = await ListeningHouse.with(esmtp(':25'));
    await house.reload(`${esmtp(':25')} Hostname = "a.test"`);
    await house.connect('10.0.0.1:25');
    expect(house.sessions[0]?.origin).toMatchObject({
      generation: { number: 2 },
      endpoint: { ip: '0.0.0.0', port: 25 },
    });
  });

  test('that could not be accepted is told once, then once a second with the number', async () => {
    const house = await ListeningHouse.with(esmtp(':25'));
    house.world.network.refuseAccept('0.0.0.0:25', 'EMFILE');
    for (let count = 0; count < 5; count += 1) expect((await house.connect('10.0.0.1:25')).state).toBe('closed');
    const line = 'ERROR 0.0.0.0:25: a connection could not be accepted: simulated EMFILE';
    expect(house.lines).toEqual([line]);
    await house.world.clock.advance(1000);
    expect(house.lines).toEqual([line, `${line} (and 3 more like it)`]);
    house.world.network.healAccept('0.0.0.0:25');
    expect((await house.connect('10.0.0.1:25')).heard).toBe('hello');
    await house.world.clock.advance(120_000);
    expect(house.lines).toHaveLength(2);
  });

  test('beyond Accept_Queue_Backlog that came in one turn is closed, those before it are served', async () => {
    const house = await ListeningHouse.with(esmtp('Listen ":25" { Accept_Queue_Backlog = 2 }'));
    // Accepting does not end the turn: all that waits in the kernel comes at once.
    const { clock } = house.world;
    const defer = clock.defer.bind(clock);
    const waiting: (() => void)[] = [];
    clock.defer = (run) => void waiting.push(run);
    const clients = [1, 2, 3].map(() => house.connectLater('10.0.0.1:25'));
    await clock.advance(10);
    clock.defer = defer;
    for (const run of waiting) run();
    await clock.advance(10);
    expect(clients.map(({ state, heard }) => `${state} ${heard}`)).toEqual(['open hello', 'open hello', 'closed ']);
    expect(house.lines).toEqual(['ERROR 0.0.0.0:25: 2 accepted connections wait already, and more are closed']);
    expect((await house.connect('10.0.0.1:25')).heard).toBe('hello');
  });

  test('that waits to be served when its socket closes is served all the same', async () => {
    const house = await ListeningHouse.with(esmtp('Listen ":25" { Accept_Queue_Backlog = 5 }'));
    const { clock } = house.world;
    const defer = clock.defer.bind(clock);
    clock.defer = () => undefined;
    const client = house.connectLater('10.0.0.1:25');
    await clock.advance(10);
    expect(house.sessions).toHaveLength(0);
    clock.defer = defer;
    await house.reload('');
    await clock.advance(10);
    expect([client.state, client.heard, house.keys]).toEqual(['open', 'hello', []]);
  });

  test('that breaks the code of its protocol costs itself only', async () => {
    const house = new ListeningHouse();
    await house.build(esmtp(':25'), {
      handlers: {
        esmtp_listener: () => {
          throw new Error('a bug');
        },
      },
    });
    await house.doors.open();
    const client = await house.connect('10.0.0.1:25');
    expect([client.state, house.keys]).toEqual(['closed', ['0.0.0.0:25']]);
    expect(house.lines.at(-1)).toMatch(/^CRITICAL a connection to 0\.0\.0\.0:25 failed: Error: a bug/);
  });
});
