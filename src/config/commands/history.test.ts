import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import {
  ConfigError,
  configCommand,
  configSession,
  duration,
  integer,
  type LiveConfiguration,
  option,
  optional,
  path,
  text,
} from '../index.ts';

const expiration = option('message_expiration', duration);
const declared = [
  expiration,
  option('max_outbound_connections', integer),
  option('listener_sessions', integer),
  option('gateway', optional(text)),
  option('spoolbase', path, { initial: '/var/spool/impetus' }),
];

interface Console {
  readonly configuration: LiveConfiguration;
  says(words: string): Promise<readonly string[]>;
  replace(text: string): Promise<void>;
}

async function consoleOf(source: string): Promise<Console> {
  const { configuration, disk } = await configured(source, declared);
  const session = configSession({ who: 'console /run/x' });
  return {
    configuration,
    says: async (words) => (await configCommand(configuration, session, words)).lines,
    replace: (next) => disk.replace(MAIN, Buffer.from(next)),
  };
}

const TEXT = 'Message_Expiration = 5m\nDomain "a.test" { Max_Outbound_Connections = 4 Gateway = "g" }\n';

describe('config history', () => {
  test('each generation has its number, date, changes, origin and author; a star stands at the live one', async () => {
    const { configuration, says, replace } = await consoleOf(TEXT);
    await says('set message_expiration 6');
    await says('begin');
    await says('unset domain a.test');
    await says('set gateway "h"');
    await says('commit');
    await replace(TEXT.replace('4', '5'));
    await configuration.reload(undefined, 'SIGHUP');
    await says('rollback to 3');
    const lines = await says('history');
    expect(lines.map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, 'DATE'))).toEqual([
      '  gen  date (UTC)           changes  how, and by whom',
      `    1  DATE        -  start with ${MAIN}`,
      '    2  DATE        1  set message_expiration 6, by console /run/x',
      '    3  DATE        3  commit of 2 commands, by console /run/x',
      `    4  DATE        4  reload of ${MAIN}, by SIGHUP`,
      '*   5  DATE        4  rollback to 3, by console /run/x',
    ]);
    expect(lines[1]).toMatch(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d /);
  });

  test('the last hundred are kept, and one that is gone says so', async () => {
    const { says, configuration } = await consoleOf(TEXT);
    for (let i = 0; i < 119; i++) await says(`set max_outbound_connections ${i + 1}`);
    expect(configuration.history).toHaveLength(100);
    const lines = await says('history');
    expect(lines[1]).toBe('  generations 1 to 20 are not kept any more');
    expect(lines).toHaveLength(102);
    expect(await says('rollback to 20')).toEqual(['config: generation 20 is gone: the oldest that is kept is 21']);
    expect(await says('rollback to 21')).toEqual(['Generation 21 is live again, as generation 121.']);
    expect(await says('get max_outbound_connections')).toEqual(['Max_Outbound_Connections = 20']);
  });

  test('a reload that changes little holds little: stanzas that say the same are shared', async () => {
    const text = (value: number): string =>
      `Domain "a.test" { Max_Outbound_Connections = ${value} }\nDomain "b.test" { Gateway = "g" }\nESMTP_Listener { Listen ":25" { } }\n`;
    const { configuration, replace } = await consoleOf(text(1));
    const before = configuration.current.tree;
    await replace(text(2));
    await configuration.reload();
    const after = configuration.current.tree;
    expect(after.children.get('domain')?.get('a.test')).not.toBe(before.children.get('domain')?.get('a.test'));
    expect(after.children.get('domain')?.get('b.test')).toBe(before.children.get('domain')?.get('b.test'));
    expect(after.children.get('esmtp_listener')).toBe(before.children.get('esmtp_listener'));
    await configuration.reload();
    expect(configuration.current.tree).toBe(after);
  });
});

describe('config rollback to N', () => {
  test('makes the tree live as a new generation, through the checks of any commit', async () => {
    const { configuration, says } = await consoleOf(TEXT);
    await says('set message_expiration 6');
    const veto = configuration.beforeCommit(() => {
      throw new ConfigError('not on Sundays');
    });
    expect(await says('rollback to 1')).toEqual(['not on Sundays']);
    expect(configuration.current.number).toBe(2);
    veto[Symbol.dispose]();
    const heard: number[] = [];
    configuration.onCommit((next, last) => heard.push(last.number, next.number));
    expect(await says('rollback to 1')).toEqual(['Generation 1 is live again, as generation 3.']);
    expect(heard).toEqual([2, 3]);
    expect(configuration.current.global.get(expiration)).toBe(300);
  });

  test.each([
    ['rollback to 1', 'Generation 1 is live already.'],
    ['rollback to 2', 'config: there is no generation 2: the live one is 1'],
    ['rollback to x', "config: 'x' is not the number of a generation: config history lists them"],
    ['rollback to', 'config: write rollback, or rollback to N'],
    ['rollback to 1 2', "config: '2' is too much here"],
  ])('%s', async (words, line) => {
    const { says } = await consoleOf(TEXT);
    expect(await says(words)).toEqual([line]);
  });

  test('is refused while a transaction is open, and for consoles that may not change anything', async () => {
    const { configuration, says } = await consoleOf(TEXT);
    await says('set message_expiration 6');
    await says('begin');
    expect(await says('rollback to 1')).toEqual(['config: a transaction is open']);
    expect(await says('rollback')).toEqual(['Rolled back.']);
    const readOnly = configSession({ readOnly: true });
    expect(await configCommand(configuration, readOnly, 'rollback to 1')).toEqual({
      ok: false,
      lines: ['Configuration changes are not allowed here'],
    });
    expect((await configCommand(configuration, readOnly, 'history')).ok).toBe(true);
  });

  test('warns of options that need a restart', async () => {
    const { says } = await consoleOf(TEXT);
    await says('set spoolbase /b');
    expect(await says('rollback to 1')).toEqual(['Generation 1 is live again, as generation 3.']);
    expect(await says('rollback to 2')).toEqual([
      'Warning: "Spoolbase" cannot be changed at run time; restart to apply.',
      'Generation 2 is live again, as generation 4.',
    ]);
  });
});

describe('config diff', () => {
  test('what was added, removed and changed, in the order of names, with the old value behind it', async () => {
    const { says, replace } = await consoleOf(TEXT);
    await replace(`Max_Outbound_Connections = 9
Message_Expiration = 301
Domain "b.test" { Gateway = "x # y" }
Domain "a.test" { Max_Outbound_Connections = 5 }
ESMTP_Listener { Listen ":25" { } }
`);
    const wanted = [
      '+ Max_Outbound_Connections = 9',
      '~ Message_Expiration = 301  # was 5m',
      '- Domain "a.test" Gateway  # was "g"',
      '~ Domain "a.test" Max_Outbound_Connections = 5  # was 4',
      '+ Domain "b.test" Gateway = "x # y"',
      '+ ESMTP_Listener Listen ":25" { }',
    ];
    expect(await says('diff --disk')).toEqual(wanted);
    await says('reload');
    expect(await says('diff 1')).toEqual(wanted);
    expect(await says('diff 1 2')).toEqual(wanted);
    expect(await says('diff --disk')).toEqual(['No differences.']);
    expect(await says('diff 2')).toEqual(['No differences.']);
    expect(await says('diff 2 1')).toEqual([
      '- Max_Outbound_Connections  # was 9',
      '~ Message_Expiration = 5m  # was 301',
      '+ Domain "a.test" Gateway = "g"',
      '~ Domain "a.test" Max_Outbound_Connections = 4  # was 5',
      '- Domain "b.test" Gateway  # was "x # y"',
      '- Domain "b.test"',
      '- ESMTP_Listener Listen ":25"',
      '- ESMTP_Listener',
    ]);
  });

  test('the open transaction against the live configuration; without one it says so', async () => {
    const { says } = await consoleOf(TEXT);
    expect(await says('diff')).toEqual(['config: no transaction is open: write diff N, diff A B or diff --disk']);
    await says('begin');
    expect(await says('diff')).toEqual(['No differences.']);
    await says('unset domain a.test gateway');
    expect(await says('diff')).toEqual(['- Domain "a.test" Gateway  # was "g"']);
  });

  test('the same value in other words is no difference; another order of regexes is one', async () => {
    const { says, replace } = await consoleOf('Message_Expiration = 5m\nDomain "/a/" { }\nDomain "/b/" { }');
    await replace('Domain "/b/" { }\nDomain "/a/" { }\nMessage_Expiration = "300"');
    expect(await says('diff --disk')).toEqual(['# Domain: regexes are now asked in the order "/b/" "/a/"']);
  });

  test('a broken file is told as a reload would', async () => {
    const { says, replace } = await consoleOf(TEXT);
    await replace('Message_Expiration = soon');
    expect((await says('diff --disk')).at(-1)).toContain('expected');
    expect(await says('diff 1 2 3')).toEqual(["config: '3' is too much here"]);
    expect(await says('diff 7')).toEqual(['config: there is no generation 7: the live one is 1']);
  });

  test('its lines, typed behind config set and config unset, lead from one configuration to the other', async () => {
    const setting = fc
      .tuple(
        fc.constantFrom('Message_Expiration', 'Gateway', 'Max_Outbound_Connections'),
        fc.integer({ min: 1, max: 3 }),
      )
      .map(([name, value]) => `${name} = ${name === 'Gateway' ? `"g # ${value}"` : value}\n`);
    const settings = fc.array(setting, { maxLength: 3 }).map((lines) => lines.join(''));
    const stanza = fc
      .tuple(fc.constantFrom('Domain "a.test"', 'Domain "/b/"', 'Binding "b"', 'Binding_Group "g"'), settings)
      .map(([head, inner]) => `${head} { ${inner} Max_Deliveries_Per_Connection = 1 }\n`);
    const source = fc.tuple(settings, fc.array(stanza, { maxLength: 4 })).map(([own, all]) => own + all.join(''));
    await fc.assert(
      fc.asyncProperty(source, source, async (from, to) => {
        const { says, replace } = await consoleOf(from);
        await replace(to);
        const lines = await says('diff --disk');
        if (lines[0] === 'No differences.') return;
        await says('begin');
        for (const line of lines) await says(`${line.startsWith('-') ? 'unset' : 'set'}${line.slice(1)}`);
        expect(await says('replay')).toHaveLength(lines.length);
        await says('commit');
        expect(await says('diff --disk')).toEqual(['No differences.']);
      }),
      { numRuns: 200 },
    );
  });
});

describe('config reload --check', () => {
  test('says what a reload would say, and changes nothing', async () => {
    const { configuration, says, replace } = await consoleOf(TEXT);
    expect(await says('reload --check')).toEqual(['Configuration valid; nothing was changed.']);
    await replace('Spoolbase = "/b"\nThreadpool "x" { }\nESMTP_Listener { Pool_Name = "nowhere" }');
    expect(await says('reload --check')).toEqual([
      `${MAIN}:3:30: warning: Pool_Name = nowhere: there is no threadpool of that name, the default one is used`,
      'Warning: "Spoolbase" cannot be changed at run time; restart to apply.',
      'Warning: 2 settings are accepted and not implemented yet: impetus check names them.',
      'Configuration valid; nothing was changed.',
    ]);
    await replace('Domain { }');
    const errors = await says('reload --check');
    expect(errors.at(-1)).toBe('Reconfigure failed.');
    expect(errors).toEqual(await says('reload'));
    expect(configuration.current.number).toBe(1);
    expect(await says('reload --check /nowhere')).toHaveLength(2);
  });

  test('is allowed where nothing may be changed, and while a transaction is open', async () => {
    const { configuration, says } = await consoleOf(TEXT);
    const readOnly = configSession({ readOnly: true });
    expect((await configCommand(configuration, readOnly, 'reload --check')).ok).toBe(true);
    await says('begin');
    expect(await says('reload --check')).toEqual(['Configuration valid; nothing was changed.']);
  });
});

test('a reload without a file reads the main file, also after another one was loaded', async () => {
  const { disk, configuration } = await configured(
    { [MAIN]: TEXT, '/etc/other.conf': 'Message_Expiration = 1' },
    declared,
  );
  const session = configSession();
  await configCommand(configuration, session, 'reload /etc/other.conf');
  expect(configuration.current.global.get(expiration)).toBe(1);
  await disk.replace(MAIN, Buffer.from('Message_Expiration = 2'));
  await configCommand(configuration, session, 'reload');
  expect(configuration.current.global.get(expiration)).toBe(2);
});
