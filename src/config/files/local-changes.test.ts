import { describe, expect, test } from 'vitest';
import { diskWith, errorLinesOf, MAIN } from '../../../test/support/configuration.ts';
import { type SimDisk, simWorld } from '../../world/sim/index.ts';
import { configCommand, configSession, duration, type LiveConfiguration, loadConfiguration, option } from '../index.ts';

const messageExpiration = option('message_expiration', duration);
const { clock } = simWorld();

function load(disk: SimDisk, looksOnly = false): Promise<LiveConfiguration> {
  const declared = [messageExpiration];
  return loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [], looksOnly });
}

describe('the file of local changes', () => {
  test('is loaded last, wherever it is named, with what it includes', async () => {
    const disk = await diskWith({
      [MAIN]: 'Message_Expiration = 1 include "a" Message_Expiration = 2',
      '/etc/impetus/a': 'Local_Changes_File = "local.conf"',
      '/etc/impetus/local.conf': 'Message_Expiration = 3 include "more"',
      '/etc/impetus/more': 'Domain "x.test" { Retry_Interval = 5 }',
    });
    const configuration = await load(disk);
    expect(configuration.current.global.get(messageExpiration)).toBe(3);
    expect(configuration.files.map(({ path, role }) => [path, role])).toEqual([
      [MAIN, 'main'],
      ['/etc/impetus/a', 'included'],
      ['/etc/impetus/local.conf', 'local changes'],
      ['/etc/impetus/more', 'included'],
    ]);
    expect(configuration.current.instances('domain')).toEqual(['x.test']);
  });

  test('that is not there is empty, and no error', async () => {
    const disk = await diskWith('Local_Changes_File = /etc/impetus/local.conf Message_Expiration = 1');
    const configuration = await load(disk);
    expect(configuration.files.at(-1)).toMatchObject({ role: 'local changes', hash: undefined, readOnly: undefined });
    expect(disk.text('/etc/impetus/local.conf')).toBeUndefined();
    await disk.replace('/etc/impetus/local.conf', Buffer.from('Message_Expiration = 2'));
    expect((await configuration.reload()).global.get(messageExpiration)).toBe(2);
  });

  test('has errors of its own', async () => {
    const disk = await diskWith({
      [MAIN]: 'Local_Changes_File = local.conf',
      '/etc/impetus/local.conf': 'No_Such = 1\nLocal_Changes_File = other.conf',
    });
    expect(await errorLinesOf(load(disk))).toEqual([
      expect.stringContaining("/etc/impetus/local.conf:1:1: error: unknown option 'No_Such'"),
      '/etc/impetus/local.conf:2:1: error: Local_Changes_File may not name another file in the file of local changes',
    ]);
  });

  test.each([
    ['impetus.conf', 'this is the main file, which is loaded first'],
    ['inc', 'this file is included, and what is loaded twice cannot be written'],
    ['file:///etc/impetus/inc', 'this file is included, and what is loaded twice cannot be written'],
    ['/etc/impetus/folder', 'this is not a file'],
    ['closed', 'this process may not write it'],
    ['/no/such/folder/x', 'this process may not write it'],
  ])('cannot be %s', async (name, why) => {
    const files = { [MAIN]: `include inc Local_Changes_File = "${name}"`, '/etc/impetus/inc': '' };
    const disk = await diskWith(files);
    await disk.makeDirectory('/etc/impetus/folder');
    disk.put('/etc/impetus/closed', '', 0o440);
    expect(await errorLinesOf(load(disk))).toEqual([
      expect.stringMatching(new RegExp(`error: Local_Changes_File = .*: ${why}$`)),
    ]);
  });

  test('and online neither: the commit is refused', async () => {
    const disk = await diskWith({ [MAIN]: 'include inc', '/etc/impetus/inc': '' });
    const configuration = await load(disk);
    const say = async (words: string): Promise<readonly string[]> =>
      (await configCommand(configuration, configSession(), words)).lines;
    expect(await say('set local_changes_file inc')).toEqual([
      expect.stringContaining('Syntax error in (console)'),
      'Local_Changes_File = /etc/impetus/inc: this file is included, and what is loaded twice cannot be written',
    ]);
    expect(await say('set local_changes_only on')).toContain('Local_Changes_Only needs a Local_Changes_File');
    expect(configuration.current.number).toBe(1);
    expect(await say('set local_changes_file local.conf')).toEqual(['Local_Changes_File = local.conf']);
    expect(await say('set local_changes_only on')).toEqual(['Local_Changes_Only = on']);
  });

  test('that this process may not write is a warning for a program that only looks', async () => {
    const disk = await diskWith('Local_Changes_File = /srv/local.conf');
    expect((await load(disk, true)).notices.map((notice) => notice.line)).toEqual([
      `${MAIN}:1:22: warning: Local_Changes_File = /srv/local.conf: this process may not write it`,
    ]);
  });

  test('is wanted by Local_Changes_Only', async () => {
    expect(await errorLinesOf(load(await diskWith('Local_Changes_Only = true')))).toEqual([
      `${MAIN}:1:22: error: Local_Changes_Only needs a Local_Changes_File`,
    ]);
    await load(await diskWith('Local_Changes_Only = false'));
  });
});

describe('a file is read-only', () => {
  test('when the process may not write it or its directory', async () => {
    const disk = await diskWith({ [MAIN]: 'include a include b', '/etc/impetus/a': '', '/etc/impetus/b': '' });
    disk.put('/etc/impetus/a', '', 0o440);
    disk.fail({ operation: 'writable', path: '/b' });
    expect((await load(disk)).files.map(({ readOnly }) => readOnly)).toEqual([
      undefined,
      'this process may not write it',
      'this process may not write it',
    ]);
  });

  test('below readonly_include of a directory; what such files include plainly is not', async () => {
    const disk = await diskWith({
      [MAIN]: 'readonly_include "d"',
      '/etc/impetus/d/1': 'include "in" readonly_include "out"',
      '/etc/impetus/d/2': '',
      '/etc/impetus/d/sub/in': '',
      '/etc/impetus/in': 'include "deep"',
      '/etc/impetus/deep': '',
      '/etc/impetus/out': '',
    });
    expect((await load(disk)).files.map(({ path, readOnly }) => [path, readOnly])).toEqual([
      [MAIN, undefined],
      ['/etc/impetus/d/1', 'reached by readonly_include'],
      ['/etc/impetus/in', undefined],
      ['/etc/impetus/deep', undefined],
      ['/etc/impetus/out', 'reached by readonly_include'],
      ['/etc/impetus/d/2', 'reached by readonly_include'],
    ]);
  });
});
