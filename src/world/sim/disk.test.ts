import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simWorld } from './index.ts';

const text = (words: string): Buffer => Buffer.from(words);

test('files are written, read, listed, renamed and removed as on a real disk', async () => {
  const { disk } = simWorld();
  await disk.makeDirectory('/spool/L0', 0o700);
  const file = await disk.open('/spool/L0/1.seg', 'create', 0o600);
  await file.write([text('one'), text('two')]);
  await file.write([text('ONE')], 0);
  await file.write([text('!')], 8);
  expect(Buffer.from(await file.read(0, 100)).toString()).toBe('ONEtwo\0\0!');
  expect(Buffer.from(await file.read(3, 2)).toString()).toBe('tw');
  await file.truncate(3);
  await file.write([text('.')]);
  expect(disk.text('/spool/L0/1.seg')).toBe('ONE.');
  expect(await disk.list('/spool')).toEqual([{ name: 'L0', kind: 'directory' }]);
  expect(await disk.status('/spool/L0/1.seg')).toMatchObject({ kind: 'file', size: 4, mode: 0o600 });
  await disk.rename('/spool/L0', '/spool/L1');
  expect(disk.files()).toEqual(['/spool/L1/1.seg']);
  await expect(disk.remove('/spool/L1')).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  await disk.remove('/spool/L1/1.seg');
  await disk.remove('/spool/L1');
  await file.write([text('a file outlives its name')]);
  await file.close();
  await file.close();
  await expect(file.sync()).rejects.toMatchObject({ code: 'EBADF' });
  await disk.replace('/spool/x', text('1'), 0o644);
  await disk.replace('/spool/x', text('2'), 0o600);
  expect(await disk.status('/spool/x')).toMatchObject({ mode: 0o644 });
  expect((await disk.open('/spool/x', 'append')).size).toBe(1);
});

test('errors have the codes of the system', async () => {
  const { disk } = simWorld();
  disk.put('/a/file', 'x');
  await expect(disk.open('/none', 'read')).rejects.toMatchObject({ code: 'ENOENT', path: '/none' });
  await expect(disk.open('/a/file', 'create')).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(disk.open('/a', 'append')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(disk.open('/b/file', 'create')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(disk.read('/a')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(disk.list('/a/file')).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(disk.makeDirectory('/a/file/x')).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(disk.rename('/none', '/a/x')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(disk.remove('/none')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await disk.status('/none')).toBeUndefined();
  await using held = await disk.lock('/a/lock');
  expect(held).toBeDefined();
  await expect(disk.lock('/a/lock')).rejects.toMatchObject({ code: 'ELOCKED' });
});

test('a crash keeps what was synced, and may keep, lose or tear the rest', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const { disk } = simWorld(seed);
    disk.put('/d/log', 'synced.');
    const file = await disk.open('/d/log', 'append');
    await file.write([text('more.')]);
    await file.sync();
    await file.write([text('last')]);
    const after = disk.crash();
    const left = after.text('/d/log') ?? '';
    expect(left.startsWith('synced.more.')).toBe(true);
    seen.add(left.slice(12));
    await expect(file.write([text('x')])).rejects.toMatchObject({ code: 'EIO' });
    await expect(disk.read('/d/log')).rejects.toMatchObject({ code: 'EIO' });
    const again = await after.open('/d/log', 'append');
    expect(again.size).toBe(left.length);
  }
  expect([...seen].sort()).toEqual(['', 'l', 'la', 'las', 'last']);
});

test('a name is lost in a crash unless its directory was synced; a replaced file is old or new', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const { disk } = simWorld(seed);
    disk.put('/d/conf', 'old');
    const file = await disk.open('/d/new', 'create');
    await file.write([text('new')]);
    await file.sync();
    const safe = await disk.open('/d/safe', 'create');
    await safe.write([text('safe')]);
    await safe.sync();
    await disk.syncDirectory('/d');
    await disk.rename('/d/new', '/d/conf');
    await disk.makeDirectory('/e');
    const below = await disk.open('/e/below', 'create');
    await below.sync();
    await disk.syncDirectory('/e');
    const after = disk.crash();
    expect(after.text('/d/safe')).toBe('safe');
    seen.add(
      after
        .files()
        .map((path) => `${path}=${after.text(path)}`)
        .join(' '),
    );
  }
  expect([...seen].sort()).toEqual([
    '/d/conf=new /d/safe=safe',
    '/d/conf=new /d/safe=safe /e/below=',
    '/d/conf=old /d/new=new /d/safe=safe',
  ]);
});

test('whatever is written and synced, a crash never loses what a sync has covered', async () => {
  const step = fc.oneof(
    fc.tuple(fc.nat(40), fc.string({ minLength: 1, maxLength: 10 })),
    fc.constant('sync' as const),
    fc.nat(30),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(step), async (seed, steps) => {
      const { disk } = simWorld(seed);
      disk.put('/f', '');
      const file = await disk.open('/f', 'append');
      let synced = '';
      for (const each of [...steps, 'sync' as const]) {
        if (each === 'sync') {
          await file.sync();
          synced = disk.text('/f') ?? '';
        } else if (typeof each === 'number') await file.truncate(each);
        else await file.write([text(each[1])], each[0]);
      }
      const after = disk.crash();
      expect(after.text('/f')).toBe(synced);
    }),
    { numRuns: 100 },
  );
});

test('operations fail as they are told to, and go well again when the fault is gone', async () => {
  const { disk } = simWorld();
  disk.put('/d/a', '');
  const file = await disk.open('/d/a', 'append');
  {
    using broken = disk.fail({ operation: ['write', 'sync'], path: '/d/', after: 1, times: 2 }, 'EROFS');
    expect(broken).toBeDefined();
    await file.write([text('fine')]);
    await expect(file.write([text('x')])).rejects.toMatchObject({ code: 'EROFS', path: '/d/a' });
    await expect(file.sync()).rejects.toMatchObject({ code: 'EROFS' });
    await file.sync();
  }
  using broken = disk.fail({ path: /a$/ });
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
  broken[Symbol.dispose]();
  await file.sync();
  expect(disk.done.get('sync')).toBe(2);
});

test('a full disk takes what fits and says ENOSPC, until there is room', async () => {
  const { disk } = simWorld(1, { capacity: 10 });
  disk.put('/a', '123456');
  expect(await disk.free('/')).toBe(4);
  const file = await disk.open('/b', 'create');
  await expect(file.write([text('12345678')])).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(disk.text('/b')).toBe('1234');
  await file.write([text('abcd')], 0);
  await expect(disk.replace('/c', text('x'))).rejects.toMatchObject({ code: 'ENOSPC' });
  await disk.remove('/a');
  await file.write([text('56')]);
  expect(disk.text('/b')).toBe('abcd56');
});

test('a slow disk takes simulated time, and a sync covers what was written before it', async () => {
  const { disk, clock } = simWorld(1, { diskLatencyMillis: 5 });
  disk.put('/a', '');
  const file = await disk.open('/a', 'append');
  const writing = file.write([text('in time')]);
  await clock.until(writing);
  expect(clock.now()).toBe(5);
  const syncing = file.sync();
  const late = file.write([text(' late')]);
  await clock.until(Promise.all([syncing, late]));
  const left = new Set<string | undefined>();
  left.add(disk.crash().text('/a')?.slice(0, 7));
  expect([...left]).toEqual(['in time']);
});

test('what may be written goes by the permission bits of the file and its directory', async () => {
  const { disk } = simWorld();
  await disk.makeDirectory('/closed', 0o550);
  disk.put('/open/file', '');
  disk.put('/open/closed', '', 0o440);
  const writable = async (path: string): Promise<boolean> => disk.writable(path);
  expect(await Promise.all(['/open/file', '/open/new'].map(writable))).toEqual([true, true]);
  expect(await Promise.all(['/open/closed', '/closed/new', '/no/file', '/open/file/x'].map(writable))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
