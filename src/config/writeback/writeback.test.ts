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

describe('the text of a file', () => {
  /** Text before, commands separated by ` ; `, text afterwards. */
  test.each([
    ['A comment beside a value stays', 'Idle_Timeout = 5 # why\n', 'set idle_timeout 6', 'Idle_Timeout = 6 # why\n'],
    ['quotes as typed', 'Idle_Timeout="5"#c\n', 'set idle_timeout 6', 'Idle_Timeout=6 #c\n'],
    [
      'values over several lines',
      'Relay_Hosts = (\n  10.0.0.1 # one\n)\n# end',
      'set relay_hosts ( ::1 )',
      'Relay_Hosts = ( ::1 )\n# end',
    ],
    ['an array without =', 'Relay_Hosts( 10.0.0.1 )\n', 'set relay_hosts 10.0.0.2', 'Relay_Hosts = 10.0.0.2\n'],
    ['a line that is unset goes', '# a\n  Idle_Timeout = 5\n# b\n', 'unset idle_timeout', '# a\n# b\n'],
    ['not so the comment beside it', 'Idle_Timeout = 5  # b\n', 'unset idle_timeout', '# b\n'],
    [
      'nor its neighbours',
      'Idle_Timeout = 5 Blackhole = false EHLO_Timeout = 7\n',
      'unset blackhole',
      'Idle_Timeout = 5 EHLO_Timeout = 7\n',
    ],
    ['the last of a line', 'Idle_Timeout = 5 Blackhole = false\n', 'unset blackhole', 'Idle_Timeout = 5\n'],
    ['all assignments of it', 'Idle_Timeout = 5\n# a\nIdle_Timeout = 6\n', 'unset idle_timeout', '# a\n'],
    ['CRLF', '# a\r\nIdle_Timeout = 5\r\n', 'set ehlo_timeout 6', '# a\r\nIdle_Timeout = 5\r\nEHLO_Timeout = 6\r\n'],
    ['no newline at the end', 'Idle_Timeout = 5 # c', 'set ehlo_timeout 6', 'Idle_Timeout = 5 # c\nEHLO_Timeout = 6\n'],
    ['a byte order mark', '\ufeffIdle_Timeout = 5 # ä', 'set idle_timeout 6', '\ufeffIdle_Timeout = 6 # ä'],
    [
      'indentation of neighbours',
      'Domain a.b {\n      Gateway = g\n}\n',
      'set domain a.b retry_interval 5',
      'Domain a.b {\n      Gateway = g\n      Retry_Interval = 5\n}\n',
    ],
    [
      'none there: one step more',
      '\tDomain a.b {\n\t# c\n\t}\n',
      'set domain a.b retry_interval 5',
      '\tDomain a.b {\n\t# c\n\t\tRetry_Interval = 5\n\t}\n',
    ],
    [
      'a stanza on one line',
      'Domain a.b { Gateway = g }\n',
      'set domain a.b retry_interval 5',
      'Domain a.b { Gateway = g Retry_Interval = 5 }\n',
    ],
    ['an empty one', 'Domain a.b {}\n', 'set domain a.b retry_interval 5', 'Domain a.b { Retry_Interval = 5 }\n'],
    [
      'the last of several stanzas of one name',
      'Domain a.b { }\nDomain A.B { Gateway = g }\n',
      'set domain a.b retry_interval 5',
      'Domain a.b { }\nDomain A.B { Gateway = g Retry_Interval = 5 }\n',
    ],
    [
      'a new stanza inside another',
      'Binding "r" {\n\t# c\n\tGateway = g\n}\n',
      'set binding r domain a.b retry_interval 5',
      'Binding "r" {\n\t# c\n\tGateway = g\n\tDomain "a.b" {\n\t\tRetry_Interval = 5\n\t}\n}\n',
    ],
    [
      'two options of a new stanza',
      '',
      'set domain a.b retry_interval 5 ; set domain a.b gateway g',
      'Domain "a.b" {\n  Retry_Interval = 5\n  Gateway = g\n}\n',
    ],
    [
      'a new listener without options',
      'ESMTP_Listener {\n}\n',
      'set esmtp_listener listen :26 idle_time 5 ; unset esmtp_listener listen :26 idle_time',
      'ESMTP_Listener {\n  Listen ":26" {\n  }\n}\n',
    ],
    [
      'a stanza that is unset goes with all in it',
      '# a\nDomain a.b {\n  # gone\n  Gateway = g\n} # b\nDomain a.b { }\n',
      'unset domain a.b',
      '# a\n# b\n',
    ],
    [
      'unset and set in one stanza',
      'Domain a.b { Gateway = g }\n',
      'unset domain a.b gateway ; set domain a.b retry_interval 5',
      'Domain a.b { Retry_Interval = 5 }\n',
    ],
    [
      'a value with everything in it',
      '',
      'set domain a.b gateway "a \\"b\\" # { \\\\ä"',
      'Domain "a.b" {\n  Gateway = "a \\"b\\" # { \\\\ä"\n}\n',
    ],
    [
      'a pattern that is asked later now',
      'Domain "/a/" { Gateway = a }\nDomain "/b/" { Gateway = b }\n',
      'unset domain "/a/" ; set domain "/a/" gateway a',
      'Domain "/b/" { Gateway = b }\nDomain "/a/" {\n  Gateway = a\n}\n',
    ],
    [
      'from scratch',
      '# a\nIdle_Timeout = 5\nDomain a.b { Gateway = g }\nEHLO_Timeout = 6\n',
      'begin from scratch ; set ehlo_timeout 6 ; commit',
      '# a\nEHLO_Timeout = 6\n',
    ],
    [
      'built-in settings',
      'Threadpool "CPU" { Concurrency = 9 }\n',
      'unset threadpool CPU ; set threadpool IO concurrency 3',
      'Threadpool "CPU" { }\nThreadPool "IO" {\n  Concurrency = 3\n}\n',
    ],
  ])('%s', async (_name, before, commands, after) => {
    const bench = await benchOf(before);
    await bench.says(...commands.split(' ; '));
    expect(await bench.says('writeback')).toEqual([
      expect.stringMatching(/^\/etc\/impetus\/impetus.conf: \d+ changes? written$/),
    ]);
    expect(bench.text(main)).toBe(after);
    await expectSaved(bench);
  });

  test('keeps its mode', async () => {
    const bench = await benchOf('');
    bench.disk.put(MAIN, 'Idle_Timeout = 5\n', 0o604);
    await bench.configuration.reload();
    await bench.says('set idle_timeout 6', 'writeback');
    expect(await bench.disk.status(MAIN)).toMatchObject({ mode: 0o604 });
  });
});

describe('what a writeback does not do', () => {
  test('it writes nothing of an open transaction', async () => {
    const bench = await benchOf('Idle_Timeout = 5\n');
    await bench.says('begin', 'set idle_timeout 6');
    expect(await bench.says('writeback')).toEqual(['Nothing has changed: the files have all that is live.']);
    await bench.says('commit', 'writeback');
    expect(bench.text(main)).toBe('Idle_Timeout = 6\n');
  });

  test('a file that somebody has changed meanwhile is refused; the others are written', async () => {
    const bench = await benchOf({ [main]: 'include a\ninclude b\n', a: 'Idle_Timeout = 5\n', b: 'EHLO_Timeout = 5\n' });
    await bench.says('set idle_timeout 6', 'set ehlo_timeout 6');
    await bench.disk.replace('/etc/impetus/a', Buffer.from('# mine\nIdle_Timeout = 5\nDomain new.test { }\n'));
    const refused =
      'Warning: not saved: Idle_Timeout = 6: it belongs into /etc/impetus/a, and this file has changed on disk since it was read';
    expect(await bench.says('writeback')).toEqual(['/etc/impetus/b: 1 change written', refused]);
    expect(bench.text('a')).toBe('# mine\nIdle_Timeout = 5\nDomain new.test { }\n');
    expect(bench.text('b')).toBe('EHLO_Timeout = 6\n');
    expect(await bench.says('writeback')).toEqual([refused]);
    await bench.says('reload');
    await bench.says('set idle_timeout 6', 'writeback');
    expect(bench.text('a')).toBe('# mine\nIdle_Timeout = 6\nDomain new.test { }\n');
  });

  test('files that are no configuration any more stop it', async () => {
    const bench = await benchOf({ [main]: 'include a\n', a: '' });
    await bench.says('set idle_timeout 6');
    await bench.disk.replace('/etc/impetus/a', Buffer.from('oops'));
    expect(await bench.says('writeback')).toEqual([
      "Syntax error in /etc/impetus/a at line 1 near 'oops'",
      "'=' or '{' is missing behind 'oops'",
      'Nothing was written.',
    ]);
    await bench.disk.remove('/etc/impetus/a');
    expect((await bench.says('writeback')).at(-1)).toBe('Nothing was written.');
    expect(bench.text(main)).toBe('include a\n');
  });

  test('what read-only files say cannot be unset, and the place is named', async () => {
    const ro = 'Idle_Timeout = 5\nDomain a.b { }\n';
    const bench = await benchOf({ [main]: 'readonly_include ro\ninclude w\ninclude w\n', ro, w: 'EHLO_Timeout = 5\n' });
    expect(await bench.says('unset idle_timeout', 'unset domain a.b', 'unset ehlo_timeout', 'writeback')).toEqual([
      'Warning: not saved: unset of Idle_Timeout: it is set at /etc/impetus/ro:1:1, and this file is read-only (reached by readonly_include)',
      'Warning: not saved: unset of EHLO_Timeout: it is set at /etc/impetus/w:1:1, and this file is read-only (included more than once)',
      'Warning: not saved: unset of Domain "a.b": it stands at /etc/impetus/ro:2:1, and this file is read-only (reached by readonly_include)',
    ]);
  });

  test('a disk that is full is told, and the next writeback goes on where this one stopped', async () => {
    const bench = await benchOf({ [main]: 'include a\ninclude b\n', a: 'Idle_Timeout = 5\n', b: 'EHLO_Timeout = 5\n' });
    await bench.says('set idle_timeout 6', 'set ehlo_timeout 6');
    const broken = bench.disk.fail({ operation: 'replace', path: '/etc/impetus/a' }, 'ENOSPC');
    expect(await bench.says('writeback')).toEqual([
      '/etc/impetus/b: 1 change written',
      'Warning: not saved: Idle_Timeout = 6: cannot write /etc/impetus/a: ENOSPC',
    ]);
    broken[Symbol.dispose]();
    expect(await bench.says('writeback')).toEqual(['/etc/impetus/a: 1 change written']);
    await expectSaved(bench);
  });

  test('a file of local changes that has contents nobody has read is not written', async () => {
    const bench = await benchOf({ [main]: '', 'l.conf': 'Idle_Timeout = 5\n', 'empty.conf': '# nothing\n' });
    expect(await bench.says('set local_changes_file l.conf', 'set domain a.b gateway g', 'writeback')).toEqual([
      `${MAIN}: 1 change written`,
      'Warning: not saved: Domain "a.b": it belongs into /etc/impetus/l.conf, and this file has contents that were never read',
    ]);
    const other = await benchOf({ [main]: '', 'empty.conf': '# nothing\n' });
    await other.says('set local_changes_file empty.conf', 'set domain a.b gateway g', 'writeback');
    expect(other.text('empty.conf')).toBe('# nothing\nDomain "a.b" {\n  Gateway = g\n}\n');
    await expectSaved(other);
  });
});

describe('a file of local changes', () => {
  test('that is missing is made at the first writeback, even when nothing has changed', async () => {
    const bench = await benchOf('Local_Changes_File = local.conf\n');
    expect(await bench.says('writeback')).toEqual(['/etc/impetus/local.conf: created']);
    expect(bench.text('local.conf')).toBe('');
    expect(await bench.says('writeback')).toEqual(['Nothing has changed: the files have all that is live.']);
  });

  test('is not given up while it holds what is live, neither for none nor for another', async () => {
    const files = { [main]: 'Local_Changes_File = local.conf\n', 'local.conf': 'Idle_Timeout = 6\n' };
    const bench = await benchOf(files);
    const why = '/etc/impetus/local.conf holds what is live: take that into another file first';
    expect(await bench.says('unset local_changes_file', 'writeback')).toEqual([
      `Warning: not saved: unset of Local_Changes_File: ${why}`,
    ]);
    expect(await bench.says('set local_changes_file other.conf', 'set domain a.b gateway g', 'writeback')).toEqual([
      '/etc/impetus/local.conf: 1 change written',
      `Warning: not saved: Local_Changes_File = other.conf: ${why}`,
    ]);
    expect(bench.text(main)).toBe(files[main]);
    expect(bench.text('other.conf')).toBeUndefined();
  });

  test('that says nothing makes room for another', async () => {
    const bench = await benchOf({ [main]: 'Local_Changes_File = local.conf\n', 'local.conf': '# nothing\n' });
    expect(await bench.says('set local_changes_file other.conf', 'set domain a.b gateway g', 'writeback')).toEqual([
      `${MAIN}: 1 change written`,
      '/etc/impetus/other.conf: 1 change written',
    ]);
    await expectSaved(bench);
    await bench.says('unset domain a.b', 'writeback');
    expect(await bench.says('unset local_changes_file', 'writeback')).toEqual([`${MAIN}: 1 change written`]);
    await expectSaved(bench);
  });
});

describe('writeback to another path', () => {
  test('writes all that is live into one file, which can be loaded alone', async () => {
    const bench = await benchOf({ [main]: 'include a\n', a: 'Idle_Timeout = 5\n' });
    await bench.says('set domain a.b gateway g');
    expect(await bench.says('writeback /etc/impetus/all.conf')).toEqual([
      'Configuration written to /etc/impetus/all.conf.',
    ]);
    expect(bench.text('all.conf')).toBe('Domain "a.b" {\n  Gateway = g\n}\nIdle_Timeout = 5\n');
    expect(bench.text(main)).toBe('include a\n');
    const { hash } = bench.configuration.current;
    await bench.says('reload /etc/impetus/all.conf');
    expect(bench.configuration.current.hash).toBe(hash);
  });

  test('is no way to overwrite a file that is part of it, and a full disk is told', async () => {
    const bench = await benchOf('');
    expect(await bench.says(`writeback ${MAIN}`)).toEqual([
      `config: '${MAIN}' is a file of this configuration: write back without a path, or name another`,
    ]);
    bench.disk.fail({ operation: 'replace' }, 'ENOSPC');
    expect(await bench.says('writeback /x')).toEqual(['config: cannot write /x: /x: ENOSPC']);
  });
});
