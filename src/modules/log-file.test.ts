import { expect, test } from 'vitest';
import { SimChance, SimClock, SimDisk } from '../world/sim/index.ts';
import { LogFile } from './log-file.ts';

const path = '/var/log/impetus/mainlog.ec';

function house(
  settings: { readonly mostKept?: number; readonly latencyMillis?: number; readonly shortMillis?: number } = {},
) {
  const clock = new SimClock();
  const { latencyMillis = 0, shortMillis = 0 } = settings;
  const disk = new SimDisk(clock, new SimChance(1), { latencyMillis, shortMillis });
  const complaints: string[] = [];
  const open = () =>
    new LogFile({
      disk,
      clock,
      path,
      mode: 0o644,
      complain: (text) => complaints.push(text),
      ...(settings.mostKept === undefined ? {} : { mostKept: settings.mostKept }),
    });
  return { clock, disk, complaints, open };
}

test('the file and its directories are made at once, with the mode that was asked for', async () => {
  const { clock, disk, open } = house();
  open();
  await clock.settle();
  expect(disk.text(path)).toBe('');
  expect((await disk.status(path))?.mode).toBe(0o644);
});

test('lines stand in the file after 100 ms, and not before', async () => {
  const { clock, disk, open } = house();
  const log = open();
  await clock.settle();
  log.append('one');
  log.append('two');
  await clock.advance(99);
  expect(disk.text(path)).toBe('');
  await clock.advance(1);
  expect(disk.text(path)).toBe('one\ntwo\n');
});

test('64 KiB are written without waiting', async () => {
  const { clock, disk, open } = house();
  const log = open();
  await clock.settle();
  const line = 'x'.repeat(1023);
  for (let count = 0; count < 64; count++) log.append(line);
  await clock.settle();
  expect(disk.text(path)?.length).toBe(65_536);
});

test('lines keep their order while writes are slow', async () => {
  const { clock, disk, open } = house({ latencyMillis: 30 });
  const log = open();
  const lines: string[] = [];
  for (let count = 0; count < 500; count++) {
    const line = `${count} ${'y'.repeat(500)}`;
    lines.push(line);
    log.append(line);
    if (count % 10 === 0) await clock.advance(7);
  }
  await clock.advance(1000);
  expect(disk.text(path)).toBe(lines.map((line) => `${line}\n`).join(''));
});

test('closing writes what is left', async () => {
  const { clock, disk, open, complaints } = house();
  const log = open();
  log.append('last words');
  await log[Symbol.asyncDispose]();
  expect(disk.text(path)).toBe('last words\n');
  expect(clock.pending).toBe(0);
  expect(complaints).toEqual([]);
});

test('after a rename, late lines go to the old file and lines after the reopening to a new one', async () => {
  const { clock, disk, open } = house();
  const log = open();
  log.append('one');
  await clock.advance(100);
  await disk.rename(path, `${path}.1`);
  log.append('two');
  await clock.advance(100);
  log.append('three');
  await log.reopen();
  log.append('four');
  await clock.advance(100);
  expect(disk.text(`${path}.1`)).toBe('one\ntwo\nthree\n');
  expect(disk.text(path)).toBe('four\n');
});

test('a reopening that fails says so, keeps the lines and is tried again', async () => {
  const { clock, disk, open, complaints } = house();
  const log = open();
  log.append('one');
  await clock.settle();
  const fault = disk.fail({ operation: 'open', path }, 'EACCES');
  await expect(log.reopen()).rejects.toThrow();
  log.append('two');
  await clock.advance(5000);
  expect(disk.text(path)).toBe('one\n');
  fault[Symbol.dispose]();
  await clock.advance(1000);
  expect(disk.text(path)).toBe('one\ntwo\n');
  expect(complaints).toHaveLength(2);
  expect(complaints[0]).toMatch(/^log \/var\/log\/impetus\/mainlog\.ec cannot be written: .*Lines are kept/);
  expect(complaints[1]).toBe(`log ${path} is written again; nothing was lost`);
});

test('on a full disk lines are kept, and no line is lost, doubled or torn when there is room again', async () => {
  const { clock, disk, open, complaints } = house();
  const log = open();
  log.append('first line');
  await clock.advance(100);
  disk.settings.capacity = 30;
  log.append('second line');
  log.append('third line');
  await clock.advance(3000);
  expect(disk.text(path)?.length).toBeLessThanOrEqual(30);
  log.append('fourth line');
  disk.settings.capacity = 1000;
  await clock.advance(1000);
  expect(disk.text(path)).toBe('first line\nsecond line\nthird line\nfourth line\n');
  expect(complaints).toHaveLength(2);
});

test('what comes while the file is looked at after trouble is written too, and the log can be closed', async () => {
  const { clock, disk, complaints, open } = house({ shortMillis: 10 });
  const log = open();
  await clock.advance(100);
  log.append('first line');
  await clock.advance(200);
  disk.settings.capacity = 20;
  log.append('second line');
  await clock.advance(1000);
  disk.settings.capacity = 10_000_000;
  const lines = ['first line', 'second line'];
  for (let moment = 0; moment < 200; moment++) {
    for (let count = 0; count < 20; count++) {
      const line = `${moment} ${count} ${'x'.repeat(1000)}`;
      lines.push(line);
      log.append(line);
    }
    await clock.advance(1);
  }
  await clock.advance(1000);
  const written = disk.text(path)?.split('\n') ?? [];
  expect(written.length - 1).toBe(lines.length);
  expect(written.slice(0, -1).every((line, index) => line === lines[index])).toBe(true);
  await log[Symbol.asyncDispose]();
  expect(complaints).toHaveLength(2);
});

test('beyond the bound lines are dropped and their number is said', async () => {
  const { clock, disk, open, complaints } = house({ mostKept: 100 });
  const log = open();
  await clock.settle();
  const fault = disk.fail({ operation: 'write' }, 'EIO');
  for (let count = 10; count < 60; count++) log.append(`line ${count}`);
  await clock.advance(2000);
  fault[Symbol.dispose]();
  await clock.advance(1000);
  const kept = disk.text(path)?.split('\n').length ?? 0;
  expect(disk.text(path)).toMatch(/^line 10\nline 11\n/);
  expect(complaints.at(-1)).toBe(`log ${path} is written again; ${50 - (kept - 1)} lines were dropped meanwhile`);
});

test('lines that can never be written are counted when the log closes', async () => {
  const { disk, open, complaints } = house();
  disk.fail({ operation: 'open' }, 'EACCES');
  const log = open();
  log.append('one');
  log.append('two');
  await log[Symbol.asyncDispose]();
  expect(complaints.at(-1)).toBe(`log ${path} closed; 2 lines could not be written and are lost`);
});

test('a half line of a crashed server is ended before the first new one', async () => {
  const { clock, disk, open } = house();
  await disk.makeDirectory('/var/log/impetus');
  disk.put(path, '1700000000@@@@M1\n17000000');
  const log = open();
  log.append('1700000060@@@@M1');
  await clock.advance(100);
  expect(disk.text(path)).toBe('1700000000@@@@M1\n17000000\n1700000060@@@@M1\n');
});

test('two logs that name the same file both write whole lines into it', async () => {
  const { clock, disk, open } = house();
  const [one, two] = [open(), open()];
  for (let count = 0; count < 5; count++) {
    one.append(`one ${count}`);
    two.append(`two ${count}`);
    await clock.advance(60);
  }
  await clock.advance(100);
  const lines = disk.text(path)?.split('\n') ?? [];
  expect(lines.filter((line) => line.startsWith('one'))).toEqual(['one 0', 'one 1', 'one 2', 'one 3', 'one 4']);
  expect(lines.filter((line) => line.startsWith('two'))).toEqual(['two 0', 'two 1', 'two 2', 'two 3', 'two 4']);
});
