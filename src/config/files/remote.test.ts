import { describe, expect, test } from 'vitest';
import { diskWith, errorLinesOf, MAIN } from '../../../test/support/configuration.ts';
import { type SimDisk, SimWeb, simWorld } from '../../world/sim/index.ts';
import { configCommand, configSession, duration, type LiveConfiguration, loadConfiguration, option } from '../index.ts';
import { LIMITS } from '../text/items.ts';
import { copyPath, targetOf } from './remote.ts';

const messageExpiration = option('message_expiration', duration);
const { clock } = simWorld();
const copies = '/var/lib/impetus/includes';

function load(disk: SimDisk, web: SimWeb, looksOnly = false): Promise<LiveConfiguration> {
  const declared = [messageExpiration];
  const remoteIncludes = { web, copies };
  return loadConfiguration({
    disk,
    clock,
    searchPath: ['/etc/impetus'],
    declared,
    modules: [],
    remoteIncludes,
    looksOnly,
  });
}

describe('what an included path names', () => {
  test.each([
    ['a/b.conf', { kind: 'path', path: 'a/b.conf' }],
    ['file:///a/b', { kind: 'path', path: '/a/b' }],
    ['FILE:///a/b', { kind: 'path', path: '/a/b' }],
    ['http://h/x', { kind: 'web', url: 'http://h/x', persist: false }],
    ['HTTPS://h/x', { kind: 'web', url: 'HTTPS://h/x', persist: false }],
    ['persist://https://h/x', { kind: 'web', url: 'https://h/x', persist: true }],
    ['persist://file:///a', { kind: 'path', path: '/a' }],
    ['persist://persist://http://h/x', { kind: 'wrong', why: expect.stringContaining('behind persist://') }],
    ['persist:///a', { kind: 'wrong', why: expect.stringContaining('behind persist://') }],
    ['cluster://a/b', { kind: 'wrong', why: 'the scheme cluster is not supported' }],
    ['ftp://a/b', { kind: 'wrong', why: 'the scheme ftp is not supported' }],
  ])('%s', (text, target) => {
    expect(targetOf(text, true)).toEqual(target);
  });

  test.each(['http://h/x', 'https://h/x', 'persist://http://h/x', 'persist://file:///a'])(
    '%s is refused without --allow-remote-includes, and nobody is asked',
    async (text) => {
      expect(targetOf(text, false)).toMatchObject({
        kind: 'wrong',
        why: expect.stringContaining('--allow-remote-includes'),
      });
    },
  );
});

describe('a document of the web', () => {
  test('is read where it is included, and is read-only', async () => {
    const web = new SimWeb();
    web.put('http://conf.test/a.conf', 'Message_Expiration = 7');
    const configuration = await load(await diskWith('include "http://conf.test/a.conf"'), web);
    expect(configuration.current.global.get(messageExpiration)).toBe(7);
    expect(configuration.files.at(-1)).toMatchObject({ path: 'http://conf.test/a.conf', readOnly: 'loaded over http' });
  });

  test('has its neighbours beside it; what is not there is looked for on the search path', async () => {
    const web = new SimWeb();
    web.put('http://conf.test/d/a.conf', 'include "b.conf" include "c.conf" include "no.conf"');
    web.put('http://conf.test/d/b.conf', 'Message_Expiration = 8');
    const disk = await diskWith({ [MAIN]: 'include "http://conf.test/d/a.conf"', '/etc/impetus/c.conf': '' });
    expect(await errorLinesOf(load(disk, web))).toEqual([
      "http://conf.test/d/a.conf:1:35: error: failed to stat 'no.conf': no such file or directory",
    ]);
    await disk.replace('/etc/impetus/no.conf', Buffer.from(''));
    const configuration = await load(disk, web);
    expect(configuration.files.map(({ path, readOnly }) => [path, readOnly])).toEqual([
      [MAIN, undefined],
      ['http://conf.test/d/a.conf', 'loaded over http'],
      ['http://conf.test/d/b.conf', 'loaded over http'],
      ['/etc/impetus/c.conf', undefined],
      ['/etc/impetus/no.conf', undefined],
    ]);
  });

  test('that includes itself, is too long, is down or is not there, is an error with its place', async () => {
    const web = new SimWeb();
    web.put('http://h/self', 'include "http://h/self"');
    web.put('http://h/long', Buffer.alloc(LIMITS.fileBytes + 1, 0x23));
    web.fail('http://h/down');
    const lines = await errorLinesOf(
      load(
        await diskWith(
          'include "http://h/self"\ninclude "http://h/long"\ninclude "http://h/down"\ninclude "http://h/no"',
        ),
        web,
      ),
    );
    expect(lines).toEqual([
      `${MAIN}:2:1: error: cannot read http://h/long: more than 67108864 bytes`,
      `${MAIN}:3:1: error: cannot read http://h/down: ECONNREFUSED`,
      `${MAIN}:4:1: error: cannot read http://h/no: status 404`,
      "http://h/self:1:1: error: 'http://h/self' includes itself: /etc/impetus/impetus.conf → http://h/self → http://h/self",
    ]);
  });

  test('is read once, however often it is included', async () => {
    const web = new SimWeb();
    web.put('http://h/x', '');
    await load(await diskWith('include "http://h/x" Domain "a.test" { include "http://h/x" }'), web);
    expect(web.asked).toEqual(['http://h/x']);
  });
});

describe('persist:// keeps a copy', () => {
  const url = 'https://conf.test/dir/a.conf?node=1';

  test('which is used, with a warning, when the source is down', async () => {
    const web = new SimWeb();
    const disk = await diskWith(`include "persist://${url}"`);
    web.put(url, 'Message_Expiration = 7');
    const configuration = await load(disk, web);
    const copy = copyPath({ copies }, url);
    expect(copy).toMatch(/^\/var\/lib\/impetus\/includes\/conf\.test_dir_a\.conf\.[0-9a-f]{16}$/);
    expect(disk.text(copy)).toBe('Message_Expiration = 7');
    expect(configuration.notices).toEqual([]);
    expect(configuration.files.at(-1)).toMatchObject({ path: url, readOnly: 'a kept copy of a document of the web' });

    web.fail(url, 'no answer within 10 s');
    expect((await configuration.reload()).global.get(messageExpiration)).toBe(7);
    expect(configuration.notices.map((notice) => notice.line)).toEqual([
      `${MAIN}:1:1: warning: ${url} cannot be read (no answer within 10 s): its copy ${copy} is used`,
    ]);
    web.put(url, 'Message_Expiration = 9');
    expect((await configuration.reload()).global.get(messageExpiration)).toBe(9);
    expect(disk.text(copy)).toBe('Message_Expiration = 9');
  });

  test('is not replaced by a document with errors', async () => {
    const web = new SimWeb();
    const disk = await diskWith(`include "persist://${url}"`);
    web.put(url, 'Message_Expiration = 7');
    const configuration = await load(disk, web);
    web.put(url, '<html>Sign in</html>');
    await expect(configuration.reload()).rejects.toThrow(url);
    web.fail(url);
    expect((await configuration.reload()).global.get(messageExpiration)).toBe(7);
  });

  test('without one, a source that is down is an error', async () => {
    const web = new SimWeb();
    web.fail(url);
    expect(await errorLinesOf(load(await diskWith(`include "persist://${url}"`), web))).toEqual([
      `${MAIN}:1:1: error: cannot read ${url}: ECONNREFUSED`,
    ]);
  });

  test('a copy that cannot be kept is a warning; a program that only looks keeps none', async () => {
    const web = new SimWeb();
    web.put(url, '');
    const disk = await diskWith(`include "persist://${url}"`);
    expect((await load(disk, web, true)).notices).toEqual([]);
    expect(disk.files()).toEqual([MAIN]);
    disk.fail({ operation: 'replace' }, 'EACCES');
    expect((await load(disk, web)).notices.map((notice) => notice.text)).toEqual([
      expect.stringMatching(/^no copy of https:.* could be kept in .*: permission denied$/),
    ]);
  });

  test('different documents have different copies, all in one directory', () => {
    const one = copyPath({ copies }, 'http://h/../../etc/passwd');
    expect(one).toMatch(/^\/var\/lib\/impetus\/includes\/h_\.\._\.\._etc_passwd\.[0-9a-f]{16}$/);
    expect(copyPath({ copies }, 'http://h/a?x')).not.toBe(copyPath({ copies }, 'http://h/a?y'));
  });
});

test('a password in a URL is refused and not repeated', async () => {
  const disk = await diskWith('include "persist://http://me:secret@h/x"');
  expect(await errorLinesOf(load(disk, new SimWeb()))).toEqual([
    `${MAIN}:1:1: error: 'persist://http://…@h/x': a user in a URL is not supported: it would stand in logs, with its password`,
  ]);
});

test('a writeback asks no server again, and puts what a document sets into a file here', async () => {
  const web = new SimWeb();
  web.put('http://h/x', 'Message_Expiration = 7');
  const disk = await diskWith('include "http://h/x"\n');
  const configuration = await load(disk, web);
  const say = async (words: string): Promise<readonly string[]> =>
    (await configCommand(configuration, configSession(), words)).lines;
  await say('set message_expiration 8');
  expect(await say('writeback')).toEqual([`${MAIN}: 1 change written`]);
  expect(disk.text(MAIN)).toBe('include "http://h/x"\nMessage_Expiration = 8\n');
  await say('unset message_expiration');
  expect(await say('writeback')).toEqual([
    'Warning: not saved: unset of Message_Expiration: it is set at http://h/x:1:1, and this file is read-only (loaded over http)',
  ]);
  expect(web.asked).toEqual(['http://h/x']);
});
