import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DiskError } from '../world.ts';
import { nodeWorld } from './world.ts';

const { disk } = nodeWorld();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'impetus-disk-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const text = (words: string): Buffer => Buffer.from(words);

test('a new file is written behind its end and at places, read back, cut and closed', async () => {
  const path = join(folder, 'new');
  const file = await disk.open(path, 'create', 0o600);
  expect(file.size).toBe(0);
  await file.write([text('one'), text(''), text('two')]);
  await file.write([text('three')]);
  await file.write([text('ONE')], 0);
  await file.write([text('four')]);
  await file.write([]);
  await file.sync();
  expect(Buffer.from(await file.read(0, 100)).toString()).toBe('ONEtwothreefour');
  expect(Buffer.from(await file.read(3, 3)).toString()).toBe('two');
  expect(await file.read(15, 10)).toHaveLength(0);
  expect(await file.read(0, 0)).toHaveLength(0);
  await file.truncate(6);
  await file.write([text('!')]);
  await file.close();
  await file.close();
  expect(readFileSync(path, 'utf8')).toBe('ONEtwo!');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await expect(disk.open(path, 'create')).rejects.toMatchObject({ code: 'EEXIST', path });
});

test('more views than the system takes at once are all written', async () => {
  const path = join(folder, 'many');
  const file = await disk.open(path, 'create');
  const views = Array.from({ length: 5000 }, (_, index) => text(`${index}\n`));
  await file.write(views);
  await file.close();
  expect(readFileSync(path, 'utf8')).toBe(views.map(String).join(''));
});

test('an appended file follows its end when others change it, and takes writes at places all the same', async () => {
  const path = join(folder, 'log');
  writeFileSync(path, 'old\n');
  const file = await disk.open(path, 'append');
  expect(file.size).toBe(4);
  await file.write([text('a\n')]);
  appendFileSync(path, 'other\n');
  await file.write([text('b'), text('\n')]);
  expect(readFileSync(path, 'utf8')).toBe('old\na\nother\nb\n');
  await file.write([text('OLD')], 0);
  truncateSync(path, 0);
  await file.write([text('c\n')]);
  await file.write([text('d\n')]);
  await file.close();
  expect(readFileSync(path, 'utf8')).toBe('c\nd\n');
});

test('what is not there, what is a folder and what is forbidden have their codes', async () => {
  await expect(disk.open(join(folder, 'none'), 'read')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(disk.open(folder, 'read')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(disk.read(join(folder, 'none'))).rejects.toBeInstanceOf(DiskError);
  await expect(disk.list(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT', path: join(folder, 'none') });
  await expect(disk.remove(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await disk.status(join(folder, 'none'))).toBeUndefined();
  expect(await disk.status(join(folder, 'log', 'below a file'))).toBeUndefined();
});

test('a full disk is told as ENOSPC', async () => {
  const file = await disk.open('/dev/full', 'append');
  await expect(file.write([text('x')])).rejects.toMatchObject({ code: 'ENOSPC', path: '/dev/full' });
  await file.close();
});

test('a replaced file keeps its mode and leaves nothing beside it', async () => {
  const path = join(folder, 'conf');
  await disk.replace(path, text('first'), 0o644);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  chmodSync(path, 0o604);
  await disk.replace(path, text('second'), 0o600);
  expect(readFileSync(path, 'utf8')).toBe('second');
  expect(statSync(path).mode & 0o777).toBe(0o604);
  const link = join(folder, 'link');
  symlinkSync(path, link);
  await disk.replace(link, text('third'));
  expect(readFileSync(path, 'utf8')).toBe('third');
  await expect(disk.replace(folder, text('no'))).rejects.toBeInstanceOf(DiskError);
  await expect(disk.replace(join(folder, 'no', 'where'), text('no'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
});

test('folders are made with their parents, listed, synced, renamed and removed', async () => {
  const path = join(folder, 'a', 'b');
  await disk.makeDirectory(path, 0o700);
  await disk.makeDirectory(path);
  await disk.syncDirectory(path);
  await disk.replace(join(path, 'file'), text('x'));
  expect(await disk.list(path)).toEqual([{ name: 'file', kind: 'file' }]);
  expect(await disk.list(join(folder, 'a'))).toEqual([{ name: 'b', kind: 'directory' }]);
  await disk.rename(join(path, 'file'), join(path, 'other'));
  expect(await disk.status(join(path, 'other'))).toMatchObject({ kind: 'file', size: 1, mode: 0o640 });
  await expect(disk.remove(path)).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  await disk.remove(join(path, 'other'));
  await disk.remove(path);
  expect(await disk.status(path)).toBeUndefined();
  expect(await disk.free(folder)).toBeGreaterThan(0);
});

test('a lock has one owner, who is named, and goes with its owner', async () => {
  const path = join(folder, 'lock');
  {
    await using held = await disk.lock(path);
    expect(held).toBeDefined();
    await expect(disk.lock(path)).rejects.toMatchObject({
      code: 'ELOCKED',
      message: `${path} is locked by process ${process.pid}`,
    });
    await expect(nodeWorld().disk.lock(path)).rejects.toMatchObject({ code: 'ELOCKED' });
  }
  expect(existsSync(`${path}.pid`)).toBe(false);
  const module = JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)));
  const script = `import { nodeWorld } from ${module}; await nodeWorld().disk.lock(${JSON.stringify(path)}); console.log('held'); setInterval(() => 0, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => other.stdout.once('data', resolve));
  await expect(disk.lock(path)).rejects.toMatchObject({
    code: 'ELOCKED',
    message: `${path} is locked by process ${other.pid}`,
  });
  const gone = new Promise((resolve) => other.once('exit', resolve));
  other.kill('SIGKILL');
  await gone;
  await using again = await disk.lock(path);
  expect(again).toBeDefined();
});

test('a lock that cannot be made says why', async () => {
  await expect(disk.lock(join(folder, 'no', 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, 'this is not what SQLite writes, and longer than its header of a hundred bytes, '.repeat(10));
  await expect(disk.lock(foreign)).rejects.toMatchObject({ code: 'EINVAL' });
  expect(readFileSync(foreign, 'utf8')).toMatch(/^this is not/);
});

test('what may be written is known before it is tried: the file, and its directory', async () => {
  const place = join(folder, 'writable');
  await disk.makeDirectory(place);
  const file = join(place, 'file');
  expect(await disk.writable(file)).toBe(true);
  await disk.replace(file, text(''));
  symlinkSync(file, join(place, 'link'));
  expect(await disk.writable(file)).toBe(true);
  expect(await disk.writable(join(place, 'link'))).toBe(true);
  expect(await disk.writable(join(place, 'no', 'file'))).toBe(false);
  expect(await disk.writable(join(file, 'below'))).toBe(false);
  // Permission bits hold nobody back who is root.
  const root = process.getuid?.() === 0;
  chmodSync(file, 0o440);
  expect(await disk.writable(file)).toBe(root);
  chmodSync(file, 0o640);
  chmodSync(place, 0o550);
  expect(await disk.writable(file)).toBe(root);
  chmodSync(place, 0o750);
});

test('a file that is replaced keeps its owner, where the system lets us', async () => {
  const path = join(folder, 'owned');
  writeFileSync(path, 'one');
  const root = process.getuid?.() === 0;
  if (root) chownSync(path, 1234, 4321);
  const { uid, gid } = statSync(path);
  await disk.replace(path, text('two'));
  expect(statSync(path)).toMatchObject({ uid, gid });
  expect(uid === 1234).toBe(root);
});

test('the status of a link is its own when it is kept, and the owner is told', async () => {
  const path = join(folder, 'status of');
  writeFileSync(path, 'x');
  symlinkSync(path, join(folder, 'status of a link'));
  const owner = process.getuid?.();
  expect(await disk.status(join(folder, 'status of a link'))).toMatchObject({ kind: 'file', owner });
  expect(await disk.status(join(folder, 'status of a link'), 'kept')).toMatchObject({ kind: 'link', owner });
  expect(await disk.status(folder, 'kept')).toMatchObject({ kind: 'directory', owner });
});
