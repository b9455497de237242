import { describe, expect, test } from 'vitest';
import { configured, MAIN } from '../../../test/support/configuration.ts';
import type { SimDisk } from '../../world/sim/index.ts';
import { configCommand, configSession, duration, integer, type LiveConfiguration, option, throttle } from '../index.ts';
import { printTree } from '../tree/print-tree.ts';

const declared = [
  option('max_outbound_connections', integer),
  option('message_expiration', duration),
  option('outbound_throttle_messages', throttle, { initial: undefined as never }),
];

interface Bench {
  readonly configuration: LiveConfiguration;
  readonly disk: SimDisk;
  /** Runs commands; the lines of the last one. */
  says(...commands: readonly string[]): Promise<readonly string[]>;
  text(name: string): string | undefined;
}

/** Files by name below /etc/impetus, or by path; a text alone is the main file. */
async function benchOf(files: string | Readonly<Record<string, string>>): Promise<Bench> {
  const all = typeof files === 'string' ? { [MAIN]: files } : files;
  const paths = Object.fromEntries(Object.entries(all).map(([name, text]) => [pathOf(name), text]));
  const { configuration, disk } = await configured(paths, declared);
  const session = configSession();
  return {
    configuration,
    disk,
    async says(...commands) {
      let lines: readonly string[] = [];
      for (const command of commands) ({ lines } = await configCommand(configuration, session, command));
      return lines;
    },
    text: (name) => {
      const text = disk.text(pathOf(name));
      return text === undefined ? undefined : Buffer.from(text, 'latin1').toString('utf8');
    },
  };
}

const pathOf = (name: string): string => (name.startsWith('/') ? name : `/etc/impetus/${name}`);
const main = 'impetus.conf';

/** What is live is what a new start would read. */
async function expectSaved({ configuration, says }: Bench): Promise<void> {
  const live = printTree(configuration.current.tree);
  expect(await says('writeback')).toEqual(['Nothing has changed: the files have all that is live.']);
  await configuration.reload();
  const sorted = (text: string): string[] => text.split('\n').sort();
  expect(sorted(printTree(configuration.current.tree))).toEqual(sorted(live));
}

describe('where an online change is stored', () => {
  const w = {
    [main]: 'readonly_include "a"\ninclude "c"\n',
    a: 'domain x.test { gateway = "g1"\n  include "b"\n}\n',
    b: '',
    c: '# c\n',
  };

  test('W1: a change of a domain that a read-only file has goes to the writable file inside it', async () => {
    const bench = await benchOf(w);
    await bench.says('set domain x.test retry_interval 5', 'set domain x.test gateway g2');
    expect(await bench.says('writeback')).toEqual(['/etc/impetus/b: 2 changes written']);
    expect(bench.text('b')).toBe('Gateway = g2\nRetry_Interval = 5\n');
    expect(bench.text(main)).toBe(w[main]);
    await expectSaved(bench);
  });

  test('W2: a new domain goes to the main file, not to an included one', async () => {
    const bench = await benchOf(w);
    await bench.says('set domain y.test retry_interval 5');
    expect(await bench.says('writeback')).toEqual([`${MAIN}: 1 change written`]);
    expect(bench.text(main)).toBe(`${w[main]}Domain "y.test" {\n  Retry_Interval = 5\n}\n`);
    expect(bench.text('c')).toBe(w.c);
    await expectSaved(bench);
  });

  test('a value is replaced where its last assignment stands', async () => {
    const bench = await benchOf({
      [main]: 'Message_Expiration = 1\ninclude "c"\n# end\n',
      c: 'Message_Expiration = 2 # two\nMessage_Expiration = 3 # three\n',
    });
    await bench.says('set message_expiration 4', 'writeback');
    expect(bench.text('c')).toBe('Message_Expiration = 2 # two\nMessage_Expiration = 4 # three\n');
    await expectSaved(bench);
  });

  test('the last assignment is read-only: the first writable file that has the stanza, if that comes later', async () => {
    const bench = await benchOf({
      [main]: 'include "early"\nreadonly_include "ro"\ninclude "late"\n',
      early: 'Domain "x.test" { Retry_Interval = 1 }\n',
      ro: 'Domain "x.test" { Retry_Interval = 2 }\n',
      late: 'Domain "x.test" {\n\tGateway = g # why\n}\n',
    });
    await bench.says('set domain x.test retry_interval 3', 'writeback');
    expect(bench.text('late')).toBe('Domain "x.test" {\n\tGateway = g # why\n\tRetry_Interval = 3\n}\n');
    await expectSaved(bench);
  });

  test('and without such a file, into a stanza of its own at the end of the main file', async () => {
    const bench = await benchOf({
      [main]: 'include "early"\nreadonly_include "ro"',
      early: 'Domain "x.test" { Retry_Interval = 1 }\n',
      ro: 'Domain "x.test" { Retry_Interval = 2 }\n',
    });
    await bench.says('set domain x.test retry_interval 3', 'writeback');
    expect(bench.text(main)).toBe(
      'include "early"\nreadonly_include "ro"\nDomain "x.test" {\n  Retry_Interval = 3\n}\n',
    );
    await expectSaved(bench);
  });

  test('a global value that was never set goes to the first writable file of the top level', async () => {
    const bench = await benchOf({
      [main]: 'readonly_include "a"\n',
      a: 'Domain "x.test" { include "inner" }\ninclude "top"\n',
      inner: '',
      top: '',
    });
    bench.disk.put(MAIN, 'readonly_include "a"\n', 0o440);
    await bench.configuration.reload();
    await bench.says('set message_expiration 5', 'writeback');
    expect(bench.text('top')).toBe('Message_Expiration = 5\n');
    expect(bench.text('inner')).toBe('');
    await expectSaved(bench);
  });

  test('what is new goes to the file of local changes, when there is one', async () => {
    const bench = await benchOf({ [main]: 'Local_Changes_File = local.conf\n', 'local.conf': '# mine\n' });
    await bench.says('set domain y.test retry_interval 5', 'writeback');
    expect(bench.text('local.conf')).toBe('# mine\nDomain "y.test" {\n  Retry_Interval = 5\n}\n');
    await expectSaved(bench);
  });

  test('with Local_Changes_Only every change goes there, also a replaced value', async () => {
    const text = 'Local_Changes_File = local.conf\nLocal_Changes_Only = true\nMessage_Expiration = 1\n';
    const bench = await benchOf(text);
    await bench.says('set message_expiration 2', 'set domain x.test retry_interval 5');
    expect(await bench.says('writeback')).toEqual(['/etc/impetus/local.conf: 2 changes written']);
    expect(bench.text(main)).toBe(text);
    expect(bench.text('local.conf')).toBe('Domain "x.test" {\n  Retry_Interval = 5\n}\nMessage_Expiration = 2\n');
    await expectSaved(bench);
    await bench.says('set message_expiration 3', 'writeback');
    expect(bench.text('local.conf')).toBe('Domain "x.test" {\n  Retry_Interval = 5\n}\nMessage_Expiration = 3\n');
    expect(await bench.says('unset domain x.test', 'unset local_changes_only', 'writeback')).toEqual([
      `${MAIN}: 1 change written`,
      '/etc/impetus/local.conf: 1 change written',
    ]);
  });

  test('with Local_Changes_Only nothing can be taken back that another file sets', async () => {
    const bench = await benchOf('Local_Changes_File = local.conf\nLocal_Changes_Only = true\nMessage_Expiration = 1\n');
    expect(await bench.says('unset message_expiration', 'writeback')).toEqual([
      '/etc/impetus/local.conf: created',
      `Warning: not saved: unset of Message_Expiration: it is set at ${MAIN}:3:1, and Local_Changes_Only keeps that file as it is`,
    ]);
  });
});

describe('what no file can take', () => {
  test('is shown, and saved once Local_Changes_File is set', async () => {
    const bench = await benchOf({ [main]: '' });
    bench.disk.put(MAIN, 'Message_Expiration = 1\n', 0o440);
    await bench.configuration.reload();
    await bench.says('set message_expiration 2', 'set domain y.test retry_interval 5');
    expect(await bench.says('writeback')).toEqual([
      'Warning: not all of the configuration could be saved. No file can take this:',
      'Domain "y.test" {',
      '  Retry_Interval = 5',
      '}',
      'Message_Expiration = 2',
      'Set Local_Changes_File and write back again to save it.',
    ]);
    expect(await bench.says('set local_changes_file /etc/impetus/local.conf', 'writeback')).toEqual([
      '/etc/impetus/local.conf: 2 changes written',
      `Warning: not saved: Local_Changes_File = /etc/impetus/local.conf: no other file can be written: write it into ${MAIN} by hand, or the next start will not know of it`,
    ]);
    expect(bench.text('local.conf')).toBe('Domain "y.test" {\n  Retry_Interval = 5\n}\nMessage_Expiration = 2\n');
  });
});
