import { expect, test } from 'vitest';
import { Desk } from '../../../test/support/console/desk.ts';
import { FakeHouse } from '../../../test/support/console/fake-house.ts';
import { serve } from '../../../test/support/console/peer.ts';
import { type Endpoint, millis, parseEndpoint } from '../../base/index.ts';

test('one command: its output on standard output and its exit code', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  expect(await desk.run(served, '/run/impetus/2025', 'pid')).toBe(0);
  expect(desk.screen).toBe('4711\n');
  expect(await desk.run(served, '/run/impetus/2025', 'message', 'details', 'X')).toBe(1);
  expect(await desk.run(served, './impetus/2025', 'nonsense')).toBe(2);
  await served.house.clock.advance(10);
  expect(served.server.sessions).toBe(0);
});

test('without an endpoint the defaults are tried in turn, $CONTROL first and alone', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  expect(await desk.run(served, 'pid')).toBe(0);
  desk.control = '/run/nothing';
  expect(await desk.run(served, 'pid')).toBe(3);
  expect(desk.complaints).toMatch(/^ec_console: cannot connect to \/run\/nothing: /);
  desk.control = '/run/impetus/2025';
  expect(await desk.run(served, 'ec_logger:main', 'reopen', 'logs')).toBe(1);
});

test('arguments with blanks stay together, a single one is a line, and config is left alone', async () => {
  const house = new FakeHouse();
  const lines: unknown[] = [];
  house.events.subscribe(['accounting'], (event) => event.type === 'Z' && lines.push(event.command));
  const served = await serve(house);
  await new Desk().run(served, 'fail', 'domain', 'a.example', 'it is "over"');
  await new Desk().run(served, 'summary reset');
  await new Desk().run(served, 'config', 'set', 'X', '( "a" "b c" )');
  await new Desk().run(served, '--json', 'summary');
  expect(lines).toEqual([
    'fail domain a.example "it is \\"over\\""',
    'summary reset',
    'config set X ( "a" "b c" )',
    'json summary',
  ]);
});

test('a batch runs every line and ends with the code of the first that failed', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  desk.stdin = '# about\n\n  pid \r\nmessage \\\n  details X\nnonsense\nversion';
  expect(await desk.run(served)).toBe(1);
  expect(desk.screen).toBe(
    `4711\nMessage X not found.\nUnknown command\n${'#'.repeat(46)}\n# impetus version: 1.2.3\n# mx.example\n${'#'.repeat(46)}\n`,
  );
  const quitting = new Desk();
  quitting.stdin = 'pid\nquit\npid\n';
  expect(await quitting.run(served)).toBe(0);
  expect(quitting.screen).toBe('4711\n');
  const open = new Desk();
  open.stdin = 'pid\\';
  expect(await open.run(served)).toBe(0);
  expect(open.screen).toBe('4711\n');
});

test.each([
  [['--frob'], 2, 'ec_console: unknown option --frob\nusage: '],
  [['--timeout', 'x'], 2, 'ec_console: --timeout wants a number of seconds\nusage: '],
  [['user:pass@127.0.0.1:2025', 'pid'], 2, 'ec_console: passwords do not belong into an endpoint'],
  [['ssh://u:p@host/u@192.0.2.1:2025'], 2, 'ec_console: passwords do not belong into an endpoint'],
  [['ssh://u@host/u:p@192.0.2.1:2025'], 2, 'ec_console: passwords do not belong into an endpoint'],
  [['ssh://-oProxyCommand=x/u@192.0.2.1:2025'], 2, 'ec_console: ssh://-oProxyCommand=x/u@192.0.2.1:2025: a name may'],
  [['ssh://u@host/run/x'], 2, 'ec_console: ssh://u@host/run/x: ssh -W'],
  [['--password-file'], 2, 'ec_console: --password-file wants a file\n'],
  [['fe80::1:2025'], 3, 'ec_console: cannot connect to /run/impetus/2025'],
  [['127.0.0.1:99999'], 2, 'ec_console: 127.0.0.1:99999: '],
  [['127.0.0.1:2026', 'pid'], 3, 'ec_console: cannot connect to 127.0.0.1:2026: '],
  [['/run/a blank/2025', 'pid'], 3, 'ec_console: cannot connect to /run/a blank/2025: '],
  [['message details 00/00-00000-00000000'], 3, 'ec_console: cannot connect to /run/impetus/2025: '],
])('%j ends with %i', async (words, code, complaint) => {
  const served = await serve(new FakeHouse(), 60, { kind: 'unix', path: '/run/elsewhere' });
  const desk = new Desk();
  expect(await desk.run(served, ...words)).toBe(code);
  expect(desk.complaints.slice(0, complaint.length)).toBe(complaint);
});

test('--man, --help and --version print and connect to nothing', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  for (const option of ['--man', '--help', '--version']) expect(await desk.run(served, option)).toBe(0);
  expect(desk.said).toMatch(/^NAME\n.*usage: ec_console.*ec_console 1\.2\.3\n$/s);
  expect(served.origins).toEqual([]);
});

test('a console over TCP is refused in the server’s words', async () => {
  const at = parseEndpoint('192.0.2.1:2025');
  if (at.kind === 'error') throw new Error(at.text);
  const desk = new Desk();
  expect(await desk.run(await serve(new FakeHouse(), 60, at), '192.0.2.1:2025', 'pid')).toBe(3);
  expect(desk.complaints).toBe(
    'ec_console: cannot connect to 192.0.2.1:2025: a console that others can reach needs a login: set Enable_Authentication and AuthDigestMD5Parameters\n',
  );
});

test('who answers nothing is a timeout, who speaks something else is no console', async () => {
  const house = new FakeHouse();
  const { network } = await serve(house);
  const listen = (path: string, says: string) =>
    network.listen({ kind: 'unix', path } satisfies Endpoint, { backlog: 1, fileMode: 0o600 }, (pipe) => {
      if (says !== '') pipe.write([Buffer.from(says)]);
      return { data: () => {}, drained: () => {}, closed: () => {} };
    });
  await listen('/run/mute', '');
  await listen('/run/smtp', '220 mx.example ESMTP\r\n');
  const desk = new Desk();
  expect(await desk.run({ house, network }, '--timeout', '5', '/run/mute', 'pid')).toBe(6);
  expect(await desk.run({ house, network }, '/run/smtp', 'pid')).toBe(3);
  expect(desk.complaints).toBe(
    'ec_console: /run/mute: no answer\nec_console: cannot connect to /run/smtp: this is no Impetus console\n',
  );
  expect(house.clock.date()).toBeLessThan(Date.UTC(2026, 2, 3, 10, 0, 7));
});

test('a command that is silent for too long is a timeout, one that only works long is not', async () => {
  const house = new FakeHouse();
  const wait = (seconds: number) =>
    async function* () {
      await new Promise<void>((resolve) => house.clock.at(millis(house.clock.now() + seconds * 1000), resolve));
      yield 'done\n';
    };
  house.moduleCommands = [{ words: 'think', summary: '', run: wait(100) }];
  const served = await serve(house);
  const desk = new Desk();
  expect(await desk.run(served, 'think')).toBe(0);
  expect(await desk.run(served, '--timeout', '5', 'think')).toBe(6);
  expect(desk.screen).toBe('done\n');
});

test('a screen that is stuck holds the server up and loses nothing', async () => {
  const house = new FakeHouse();
  let made = 0;
  house.moduleCommands = [
    {
      words: 'long',
      summary: '',
      run: function* () {
        for (; made < 3000; made++) yield `${'x'.repeat(1023)}\n`;
      },
    },
  ];
  const served = await serve(house);
  const desk = new Desk();
  const { promise, resolve } = Promise.withResolvers<void>();
  desk.stuck = promise;
  house.clock.at(millis(house.clock.now() + 30_000), () => {
    expect(made).toBeLessThan(500);
    desk.stuck = undefined;
    resolve();
  });
  expect(await desk.run(served, 'long')).toBe(0);
  expect(desk.screen.length).toBe(3000 * 1024);
});

const header = `${'#'.repeat(46)}\n# impetus version: 1.2.3\n# mx.example\n${'#'.repeat(46)}\n`;
const prompt = '10:47:35 /run/impetus/2025> ';

test('at a terminal there is a header, a prompt, and no exit code for what failed', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  desk.typed = ['pid', '', '# note', 'message \\', 'details X', 'quit', 'pid'];
  expect(await desk.run(served)).toBe(0);
  expect(desk.screen).toBe(
    `${header}${prompt}pid\n4711\n${prompt}\n${prompt}# note\n${prompt}message \\\n> details X\nMessage X not found.\n${prompt}quit\n`,
  );
  await served.house.clock.advance(10);
  expect(served.server.sessions).toBe(0);
});

test('the end of file leaves the console too, and completion asks the server', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  let found: readonly string[] | undefined;
  desk.typed = [
    async () => {
      found = await desk.reading?.complete('mess');
    },
  ];
  expect(await desk.run(served)).toBe(0);
  expect(found).toEqual(['message ']);
});

test('\\pager toggles paging, and only what is taller than the screen is paged', async () => {
  const served = await serve(new FakeHouse());
  const desk = new Desk();
  desk.typed = ['\\pager', 'pid', 'help', '\\pager', 'quit'];
  await desk.run(served);
  expect(desk.screen).toBe(
    `${header}${prompt}\\pager\nPager on.\n${prompt}pid\n4711\n${prompt}help\n${prompt}\\pager\nPager off.\n${prompt}quit\n`,
  );
  expect(desk.paged).toHaveLength(1);
  expect(desk.paged[0]).toMatch(/^active +domains with/);
});

test('a console that was closed while nobody typed connects again at the next command', async () => {
  const house = new FakeHouse();
  const served = await serve(house);
  const desk = new Desk();
  const pause = (): Promise<void> =>
    new Promise((resolve) => house.clock.at(millis(house.clock.now() + 61_000), resolve));
  desk.typed = ['pid', pause, 'pid', 'quit'];
  expect(await desk.run(served)).toBe(0);
  expect(desk.screen).toContain(`${prompt}pid\n(idle for 60 seconds; connecting again)\n4711\n`);
});

test('when the server is gone the prompt stays, and says so', async () => {
  const house = new FakeHouse();
  const served = await serve(house);
  house.shutdown = () => void served.server.close();
  const desk = new Desk();
  const pause = (): Promise<void> => new Promise((resolve) => house.clock.at(millis(house.clock.now() + 100), resolve));
  desk.typed = ['shutdown', pause, 'pid', 'quit'];
  expect(await desk.run(served)).toBe(0);
  expect(desk.screen).toContain(
    `Shutting down.\n${prompt}${prompt}pid\n(the server is shutting down; connecting again)\ncannot connect: the server is shutting down\n`,
  );
});

test('Ctrl-C stops a command on both sides', async () => {
  const house = new FakeHouse();
  let cleaned = 0;
  house.moduleCommands = [
    {
      words: 'endless',
      summary: '',
      run: function* () {
        try {
          for (;;) yield 'y\n'.repeat(2000);
        } finally {
          cleaned++;
        }
      },
    },
  ];
  const served = await serve(house);
  const desk = new Desk();
  desk.typed = [
    () => void house.clock.at(millis(house.clock.now() + 500), () => desk.reading?.interrupted()),
    'endless',
    'pid',
    'quit',
  ];
  expect(await desk.run(served)).toBe(0);
  expect(desk.screen).toContain('y\n(interrupted)\n');
  expect(desk.screen).toContain('4711\n');
  expect(cleaned).toBe(1);
});

test('escape sequences of strangers do not reach the screen, but a batch gets the bytes', async () => {
  const house = new FakeHouse();
  house.mail.pair('default', 'a.example').add('M', 'active');
  house.body = [Buffer.from('a\x1b[2J\r\nb\u009b \u202egr'), Buffer.from([0xc3]), Buffer.from([0xbc, 0x0a])];
  const served = await serve(house);
  const desk = new Desk();
  desk.typed = ['message details body M', 'quit'];
  await desk.run(served);
  expect(desk.screen).toContain('body M\na\ufffd[2J\nb\ufffd \ufffdgrü\n');
  const batch = new Desk();
  await batch.run(served, 'message', 'details', 'body', 'M');
  expect(batch.screen).toBe('a\x1b[2J\r\nb\u009b \u202egrü\n');
});
