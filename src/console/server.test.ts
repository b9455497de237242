import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeHouse } from '../../test/support/console/fake-house.ts';
import { serve } from '../../test/support/console/peer.ts';
import { millis } from '../base/index.ts';
import type { AccountingEvent, DiagnosticEvent } from '../events/index.ts';
import { complete } from './completion.ts';
import { frameKinds, maxPayload, textFrame } from './frames.ts';
import type { ModuleCommand } from './house.ts';

const hello = 'hello {"protocol":1,"product":"impetus","version":"1.2.3","host":"mx.example"}';

function withCommand(words: string, run: ModuleCommand['run']): FakeHouse {
  const house = new FakeHouse();
  house.moduleCommands = [{ words, summary: 'of a test', run }];
  return house;
}

test('a console is greeted, and each request gets its output and one end', async () => {
  const peer = (await serve(new FakeHouse())).peer();
  expect(await peer.hears(100)).toEqual([hello]);
  expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
  expect(await peer.says('message details X')).toEqual(['output Message X not found.\n', 'end 1']);
  expect(await peer.says('nonsense')).toEqual(['output Unknown command\n', 'end 2']);
  expect(await peer.says('')).toEqual(['end 0']);
  expect(await peer.says('quit')).toEqual(['end 0']);
  expect(peer.isClosed).toBe(true);
});

test('requests may be cut at any byte, or come all at once; answers keep their order', async () => {
  const bytes = Buffer.concat(['pid', 'version', 'pid'].flatMap((line) => textFrame(frameKinds.request, line)));
  const answers: string[][] = [];
  for (let cut = 0; cut <= bytes.length; cut++) {
    const peer = (await serve(new FakeHouse())).peer();
    if (cut === bytes.length) for (const byte of bytes) peer.pipe.write([Uint8Array.of(byte)]);
    else for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) peer.pipe.write([part]);
    answers.push(await peer.hears(1000));
  }
  expect(answers[0]?.filter((each) => each === 'end 0')).toHaveLength(3);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test('a slow console holds up only its own listing, and gets all of it in the end', async () => {
  let made = 0;
  const line = `${'x'.repeat(1023)}\n`;
  const house = withCommand('long', function* () {
    for (; made < 4000; made++) yield line;
  });
  const { peer, server } = await serve(house);
  const slow = peer();
  await slow.hears(10);
  slow.pipe.pause();
  await slow.says('long');
  const before = made;
  expect(before).toBeLessThan(400);
  expect(await peer().says('pid')).toContain('output 4711\n');
  expect(made).toBe(before);
  slow.pipe.resume();
  const heard = await slow.hears(30_000);
  expect(made).toBe(4000);
  expect(heard.at(-1)).toBe('end 0');
  expect(heard.slice(0, -1).join('').replaceAll('output ', '')).toBe(line.repeat(4000));
  expect(server.sessions).toBe(2);
});

test('a console that vanishes in the middle leaves nothing behind', async () => {
  let cleaned = 0;
  const house = withCommand('endless', function* () {
    try {
      for (;;) yield `${'x'.repeat(4095)}\n`;
    } finally {
      cleaned++;
    }
  });
  const { peer, server, origins } = await serve(house);
  const one = peer();
  await one.says('endless');
  one.pipe.destroy();
  await house.clock.advance(1000);
  expect({ cleaned, ends: origins[0]?.ends, sessions: server.sessions, config: house.configSessions.disposed }).toEqual(
    { cleaned: 1, ends: 1, sessions: 0, config: 1 },
  );
  expect(house.clock.pending).toBe(0);
});

test('a console that does not read at all is cut off after the idle time', async () => {
  const house = withCommand('endless', function* () {
    for (;;) yield `${'x'.repeat(4095)}\n`;
  });
  const { peer, server } = await serve(house, 60);
  const one = peer();
  await one.hears(10);
  one.pipe.pause();
  await one.says('endless');
  await house.clock.advance(59_000);
  expect(server.sessions).toBe(1);
  await house.clock.advance(2000);
  expect(server.sessions).toBe(0);
});

test('an idle console is told so and closed; commands start the time again; 0 is for ever', async () => {
  const house = new FakeHouse();
  const { peer, server } = await serve(house, 60);
  const one = peer();
  await one.hears(59_000);
  await one.says('pid');
  expect(await one.hears(59_000)).toEqual([]);
  expect(await one.hears(2000)).toEqual(['bye idle for 60 seconds']);
  expect(one.isClosed).toBe(true);
  expect(server.sessions).toBe(0);
  const patient = (await serve(new FakeHouse(), 0)).peer();
  await patient.hears(1_000_000);
  expect(patient.isClosed).toBe(false);
});

test('who leaves a transaction open when idle is told that it is lost', async () => {
  const house = new FakeHouse();
  house.configSessions.transaction = true;
  const one = (await serve(house, 60)).peer();
  expect((await one.hears(61_000)).at(-1)).toBe(
    'bye idle for 60 seconds; the open configuration transaction was rolled back',
  );
  expect(house.configSessions).toMatchObject({ opened: 1, disposed: 1 });
});

test('every login and command is accounted with an empty user, and commands stand in the paniclog', async () => {
  const house = new FakeHouse();
  const told: (AccountingEvent | DiagnosticEvent)[] = [];
  house.events.subscribe(['accounting', 'diagnostic'], (event) => told.push(event));
  await (await serve(house)).peer().says('summary reset', 'nonsense');
  const stamp = { at: expect.any(Number), generation: 3 };
  const account = { kind: 'accounting', listener: '/run/impetus/2025', peer: '', user: '', result: 1, ...stamp };
  const line = { kind: 'diagnostic', level: 'INFO', module: 'CONSL', ...stamp };
  expect(told).toEqual([
    { ...account, type: 'N' },
    { ...account, type: 'Z', command: 'summary reset' },
    { ...line, text: '/run/impetus/2025: summary reset' },
    { ...account, type: 'Z', command: 'nonsense' },
    { ...line, text: '/run/impetus/2025: nonsense' },
  ]);
});

test('a reload is told to everybody who reads the paniclog, other commands to those who ask for it', async () => {
  const house = new FakeHouse();
  const levels: string[] = [];
  house.events.subscribe(['diagnostic'], ({ level, text }) => void levels.push(`${level} ${text}`));
  await (await serve(house)).peer().says('config  reload', 'reload', 'config show');
  expect(levels).toEqual([
    'NOTICE /run/impetus/2025: config  reload',
    'NOTICE /run/impetus/2025: reload',
    'INFO /run/impetus/2025: config show',
  ]);
});

test('a command with control characters is refused and forges no line in a log', async () => {
  const house = new FakeHouse();
  const commands: unknown[] = [];
  house.events.subscribe(['accounting'], (event) => commands.push(event.command));
  const peer = (await serve(house)).peer();
  await peer.hears(10);
  expect(await peer.says('pid\n1@Z@forged')).toEqual([
    'output control characters are not allowed in a command\n',
    'end 2',
  ]);
  expect(commands).toEqual([undefined]);
});

test('a command that breaks ends with a note, and the console goes on', async () => {
  const house = withCommand('broken', function* () {
    yield 'so far\n';
    throw new Error('a bug');
  });
  const peer = (await serve(house)).peer();
  await peer.hears(10);
  expect(await peer.says('broken')).toEqual(['output the command failed: see the paniclog\n', 'end 1']);
  expect(house.diagnostics.of('ERROR')[0]?.text).toMatch(/^broken: Error: a bug/);
  expect(await peer.says('pid')).toEqual(['output 4711\n', 'end 0']);
});

test.each([
  [
    'a frame that is too long',
    Buffer.from([0, 1, 0, 2, 0x52]),
    `bye a frame of ${maxPayload + 2} bytes; at most ${maxPayload + 1} are allowed`,
  ],
  ['an empty frame', Buffer.from([0, 0, 0, 0]), 'bye a frame without a kind'],
  ['a frame of no kind we know', Buffer.from([0, 0, 0, 1, 0x21]), 'bye frame kind 33 is not known'],
])('%s ends that console and no other', async (_what, bytes, bye) => {
  const { peer, server } = await serve(new FakeHouse());
  const one = peer();
  const other = peer();
  await one.hears(10);
  one.pipe.write([bytes]);
  expect(await one.hears(100)).toEqual([bye]);
  expect(one.isClosed).toBe(true);
  expect(server.sessions).toBe(1);
  expect(await other.says('pid')).toContain('end 0');
});

test('random bytes change nothing but what is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { peer, server, house, origins } = await serve(new FakeHouse());
      const one = peer();
      one.pipe.write([bytes]);
      await one.hears(100);
      one.pipe.destroy();
      await house.clock.advance(100);
      expect(server.sessions).toBe(0);
      expect(origins[0]?.ends).toBe(1);
      expect(house.diagnostics.of('ERROR')).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('a scan that prints nothing still lets others have their turn', async () => {
  let scanned = 0;
  const turns: number[] = [];
  const house = withCommand('scan', function* () {
    house.clock.defer(watch);
    for (; scanned < 5000; scanned++) yield '';
  });
  const watch = (): void => {
    turns.push(scanned);
    if (scanned < 5000) house.clock.defer(watch);
  };
  const one = (await serve(house)).peer();
  await one.hears(10);
  one.send(frameKinds.request, 'scan');
  expect(await one.hears(100)).toEqual(['end 0']);
  expect(turns.filter((at) => at > 0 && at < 5000).length).toBeGreaterThan(5);
});

test('a command that works in silence is shown to be alive', async () => {
  const house = withCommand('think', async function* () {
    await new Promise<void>((resolve) => house.clock.at(millis(house.clock.now() + 40_000), resolve));
    yield 'done\n';
  });
  const peer = (await serve(house)).peer();
  await peer.hears(10);
  peer.send(frameKinds.request, 'think');
  expect(await peer.hears(41_000)).toEqual(['output ', 'output ', 'output done\n', 'end 0']);
});

test('a request sent ahead waits, and one that sends too much ahead is paused', async () => {
  const house = withCommand('think', async function* () {
    await new Promise<void>((resolve) => house.clock.at(millis(house.clock.now() + 1000), resolve));
    yield 'done\n';
  });
  const peer = (await serve(house)).peer();
  await peer.hears(10);
  const lines = Array.from({ length: 40 }, () => `help ${'x'.repeat(10_000)}`);
  const heard = await peer.says('think', ...lines);
  expect(heard).toEqual([]);
  expect((await peer.hears(10_000)).filter((each) => each.startsWith('end'))).toHaveLength(41);
});

test('completion gives the next word of every command that begins so', async () => {
  const peer = (await serve(new FakeHouse())).peer();
  await peer.hears(10);
  const completed = async (line: string) => {
    peer.send(frameKinds.complete, line);
    return peer.hears(100);
  };
  expect(await completed('mess')).toEqual(['output message ', 'end 0']);
  expect(await completed('binding f')).toEqual(['output binding fail \nbinding flush ', 'end 0']);
  expect(await completed('help mailq')).toEqual(['output ', 'end 0']);
  expect(await completed('json sum')).toEqual(['output json summary ', 'end 0']);
});

test('completion gives names of the configuration behind help option and its like, and in config set and its like', async () => {
  const house = new FakeHouse();
  expect(complete(house, 'help option MAX_RETRI')).toEqual(['help option max_retries ']);
  expect(complete(house, 'json help scope pathw')).toEqual([
    'json help scope pathway ',
    'json help scope pathway_group ',
  ]);
  expect(complete(house, 'help module ec_l')).toEqual(['help module ec_logger ']);
  expect(complete(house, 'help module l')).toContain('help module list ');
  expect(complete(house, 'help opt')).toEqual([]);
  expect(complete(house, 'config set Binding_Group "a b" Binding "c" max_retri')).toEqual([
    'config set Binding_Group "a b" Binding "c" max_retries ',
  ]);
  expect(complete(house, 'config show dom')).toContain('config show domain ');
  expect(complete(house, 'config set ')).toEqual([]);
  expect(complete(house, `config set ${' '.repeat(60_000)}"`)).toEqual([]);
});

test('close tells idle consoles, stops running commands, and cuts off what hangs', async () => {
  const house = new FakeHouse();
  let cleaned = 0;
  house.moduleCommands = [
    {
      words: 'endless',
      summary: '',
      run: function* () {
        try {
          for (;;) yield `${'x'.repeat(4095)}\n`;
        } finally {
          cleaned++;
        }
      },
    },
    {
      words: 'hang',
      summary: '',
      run: async function* () {
        await new Promise(() => {});
        yield '';
      },
    },
  ];
  const { peer, server } = await serve(house);
  const [idle, running, hanging] = [peer(), peer(), peer()];
  running.send(frameKinds.request, 'endless');
  hanging.send(frameKinds.request, 'hang');
  await idle.hears(10);
  const closed = server.close();
  await house.clock.advance(10);
  expect(idle.heard).toEqual([hello, 'bye the server is shutting down']);
  expect(running.heard.slice(-2)).toEqual(['end 1', 'bye the server is shutting down']);
  expect(cleaned).toBe(1);
  expect(server.sessions).toBe(1);
  await house.clock.until(closed, 1100);
  expect(server.sessions).toBe(0);
  expect(await peer().hears(100)).toEqual(['bye the server is shutting down']);
  await server.close();
});

test('shutdown answers before its own console is closed', async () => {
  const house = new FakeHouse();
  const { peer, server } = await serve(house);
  house.shutdown = () => void server.close();
  const one = peer();
  await one.hears(10);
  expect(await one.says('shutdown')).toEqual(['output Shutting down.\n', 'end 0', 'bye the server is shutting down']);
  expect(one.isClosed).toBe(true);
});
