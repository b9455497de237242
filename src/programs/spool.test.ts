import { expect, test } from 'vitest';
import { BASE, Trial } from '../../test/support/spool-trial.ts';
import { millis } from '../base/index.ts';
import { simProcess } from '../world/sim/index.ts';
import { checkProgram } from './check.ts';
import { spoolProgram } from './spool.ts';
import { ageText, timeText } from './spool-entry.ts';

interface Said {
  readonly code: number;
  readonly said: string;
  readonly complained: string;
  /** What went to standard output as bytes. */
  readonly written: Buffer;
}

async function run(trial: Trial, ...words: readonly string[]): Promise<Said> {
  const { world } = trial;
  const process = simProcess();
  const written: Uint8Array[] = [];
  const terminal = {
    write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes)),
    flush: () => Promise.resolve(),
  };
  const code = await world.clock.until(spoolProgram({ world, process, terminal: () => terminal }, words));
  return { code, said: process.said, complained: process.complained, written: Buffer.concat(written) };
}

const HEADER = 'Subject: news \x1b[2J\r\nFrom: M\xfcller <m@x>\r\n';

/** One message with two recipients, of which one was tried twice and one is finished, and a later one. */
async function spool(): Promise<Trial> {
  const trial = await Trial.open();
  const first = await trial.commit('m1', Buffer.from(`${HEADER}\r\n.body\r\n\x00\xff`, 'latin1'), 2);
  trial.spool.done(first, [1]);
  // As the queue writes it: recipient 0, 2 retries, next attempt.
  const state = new DataView(new ArrayBuffer(14));
  state.setUint16(4, 2, true);
  state.setFloat64(6, trial.world.clock.date() + 60_000, true);
  trial.spool.amend(first, new Uint8Array(state.buffer));
  await trial.flush();
  await trial.world.clock.advance(7_500_000);
  await trial.commit('m2', 'Subject: later\n\nx');
  return trial;
}

const WHICH = ['--spool', BASE];

test('list: a line for each message that waits, with what its state says; filters and limit', async () => {
  const trial = await spool();
  const all = await run(trial, 'list', ...WHICH);
  expect(all).toMatchObject({ code: 0, complained: '', said: '' });
  const [first, second, rest] = all.written.toString().split('\n');
  expect(first).toMatch(
    /^m1\.0 +2h05m +0 +2 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ <sender@source\.example> <r0@destination\.example>$/,
  );
  expect(second).toMatch(/^m2\.0 +0s +0 +0 /);
  expect(rest).toBe('');
  const ids = async (...words: readonly string[]): Promise<readonly string[]> =>
    (await run(trial, 'list', ...WHICH, ...words)).written
      .toString()
      .split('\n')
      .flatMap((line) => line.split(' ')[0] || []);
  expect(await ids('--limit', '1')).toEqual(['m1.0']);
  expect(await ids('--limit', '0')).toEqual([]);
  expect(await ids('--sender', '^SENDER')).toEqual([]);
  expect(await ids('--sender', '(?i)^SENDER@')).toEqual(['m1.0', 'm2.0']);
  expect(await ids('--recipient', '^r1@')).toEqual([]);
  const came = second?.split(/ +/)[4] ?? '';
  expect(await ids('--start_date', came)).toEqual(['m2.0']);
  expect(await ids('--end_date', came.slice(0, 16))).toEqual(['m1.0', 'm2.0']);
  expect(await ids('--end_date', String(trial.world.clock.date() / 1000 - 10).split('.')[0] ?? '')).toEqual(['m1.0']);
  await trial.close();
  expect(await ids()).toEqual(['m1.0', 'm2.0']);
});

test('list --json: an object on each line', async () => {
  const trial = await spool();
  const { written } = await run(trial, 'list', ...WHICH, '--json', '--limit', '1');
  expect(JSON.parse(written.toString())).toEqual({
    id: 'm1.0',
    batch: 'm1',
    received: expect.stringMatching(/Z$/),
    size: 0,
    retries: 2,
    next_attempt: expect.stringMatching(/Z$/),
    sender: 'sender@source.example',
    recipient: 'r0@destination.example',
    binding: 'default',
  });
});

test('show: envelope, state and header, harmless to the terminal; the batch shows all recipients', async () => {
  const trial = await spool();
  const { code, said, complained } = await run(trial, 'show', ...WHICH, 'm1.0');
  expect({ code, complained }).toEqual({ code: 0, complained: '' });
  expect(said).toMatch(/^ {11}Message: m1\.0\n {13}Batch: m1\n/);
  expect(said).toMatch(
    /Retries: 2\n +Next Attempt: .*Z\n +Message Context: subject = Grüße\n\nSubject: news \\x1b\[2J\n/,
  );
  expect(said).toContain('From: Müller <m@x>\n');
  expect(said).not.toContain('.body');
  expect(said).not.toContain('<r1@');
  const batch = await run(trial, 'show', ...WHICH, 'm1');
  expect(batch.said).toMatch(/<r0@.*<r1@.*State: finished\n/s);
  const json: unknown = JSON.parse((await run(trial, 'show', ...WHICH, 'm2.0', '--json')).said);
  expect(json).toMatchObject({
    batch: 'm2',
    recipients: [{ id: 'm2.0', finished: false }],
    header: 'Subject: later\n\n',
  });
  const none = await run(trial, 'show', ...WHICH, 'm3');
  expect(none).toMatchObject({ code: 1, complained: 'impetus spool: there is no message m3 in the spool\n' });
});

test('extract: the bytes as they are kept, to standard output or to a new file', async () => {
  const trial = await spool();
  const body = `${HEADER}\r\n.body\r\n\x00\xff`;
  const out = await run(trial, 'extract', ...WHICH, 'm1.0');
  expect(out.code).toBe(0);
  expect(out.written.toString('latin1')).toBe(body);
  trial.world.disk.put('/old.eml', 'mine');
  expect((await run(trial, 'extract', ...WHICH, 'm1', 'new.eml')).code).toBe(0);
  expect(trial.world.disk.text('/new.eml')).toBe(body);
  const old = await run(trial, 'extract', ...WHICH, 'm1', '/old.eml');
  expect(old).toMatchObject({ code: 2, complained: expect.stringContaining('exists already') });
  expect(trial.world.disk.text('/old.eml')).toBe('mine');
  expect((await run(trial, 'extract', ...WHICH, 'm9')).code).toBe(1);
});

test('extract: a file that could not be written whole does not stay, so that it can be tried again', async () => {
  const trial = await spool();
  const fault = trial.world.disk.fail({ operation: 'write', path: '/new.eml' }, 'ENOSPC');
  expect(await run(trial, 'extract', ...WHICH, 'm1', '/new.eml')).toMatchObject({
    code: 2,
    complained: expect.stringContaining('/new.eml cannot be written'),
  });
  fault[Symbol.dispose]();
  expect((await run(trial, 'extract', ...WHICH, 'm1', '/new.eml')).code).toBe(0);
});

test('extract: of a damaged message what there is, and exit code 1', async () => {
  const trial = await spool();
  await trial.close();
  const { disk } = trial.world;
  const [path] = trial.segments();
  disk.put(path!, Buffer.from(disk.text(path!)!.replace('.body', '.b0dy'), 'latin1'));
  const { code, complained } = await run(trial, 'extract', ...WHICH, 'm1', '/what.eml');
  expect(code).toBe(1);
  expect(complained).toMatch(/is damaged: its sum is wrong; what there is was written\n$/);
  expect(disk.text('/what.eml')).toContain('.b0dy');
});

test('check: the totals, the failures on standard error, and the exit codes of ec_spool_check', async () => {
  const trial = await spool();
  const clean = 'Total scanned: 2\nTotal ok: 2\nMeta failures: 0\nBody failures: 0\nOrphan L-markers: 0\n';
  expect(await run(trial, 'check', BASE)).toMatchObject({ code: 0, said: clean, complained: '' });
  expect((await run(trial, 'check', '-e', '/opt/extensions', '-x', BASE)).said).toMatch(
    /Orphan L-markers: 0\nOldest: m1\.0 .*Z\nNewest: m2\.0 .*Z\n$/,
  );
  await trial.close();
  const { disk } = trial.world;
  const [path] = trial.segments();
  disk.put(path!, Buffer.from(disk.text(path!)!.replace('.body', '.b0dy'), 'latin1'));
  const failed = await run(trial, 'check', BASE);
  expect(failed.code).toBe(1);
  expect(failed.said).toContain('Total scanned: 2\nTotal ok: 1\nMeta failures: 0\nBody failures: 1\n');
  expect(failed.complained).toMatch(/^FAIL m1\.0: the sum of its body is wrong/);
  expect(JSON.parse((await run(trial, 'check', BASE, '--json')).said)).toMatchObject({
    scanned: 2,
    failures: [{ id: 'm1.0', kind: 'body' }],
  });
  expect(await run(trial, 'check', '/nowhere')).toMatchObject({
    code: 2,
    complained: expect.stringMatching(/^impetus spool: cannot read \/nowhere/),
  });
});

test('ec_show: -s lists, -n counts, -m shows; one of them is wanted', async () => {
  const trial = await spool();
  expect((await run(trial, 'ec_show', '-s', ...WHICH)).written.toString().split('\n')).toHaveLength(3);
  expect((await run(trial, 'ec_show', '-n', ...WHICH)).said).toBe('2\n');
  expect((await run(trial, 'ec_show', '-n', '--recipient', '^nobody', ...WHICH)).said).toBe('0\n');
  expect((await run(trial, 'ec_show', '-m', 'm2.0', ...WHICH)).said).toContain('Message: m2.0\n');
  expect((await run(trial, 'ec_show', '-m', 'm3', ...WHICH)).code).toBe(1);
  expect((await run(trial, 'ec_show', ...WHICH)).code).toBe(2);
  expect((await run(trial, 'ec_show', '-n', '-s', ...WHICH)).code).toBe(2);
});

test('the spool is that of the configuration; without one it is said that there is none', async () => {
  const trial = await spool();
  trial.world.disk.put('/etc/ours.conf', `Spoolbase = "${BASE}"\n`);
  expect((await run(trial, 'ec_show', '-n', '-c', '/etc/ours.conf')).said).toBe('2\n');
  expect((await run(trial, 'check', '-c', '/etc/ours.conf')).said).toContain('Total ok: 2\n');
  const none = await run(trial, 'list', '-c', '/etc/other.conf');
  expect(none).toMatchObject({ code: 2, complained: expect.stringContaining('/etc/other.conf') });
});

test('words that make no sense end with exit code 2 and an explanation; help with 0', async () => {
  const trial = await spool();
  for (const words of [
    [],
    ['lsit'],
    ['show'],
    ['list', '--start_date', '2026-02-30'],
    ['list', '--end_date', 'yesterday'],
    ['list', '--sender', '(x'],
    ['list', 'm1'],
    ['check', 'a', 'b'],
  ]) {
    const { code, said, complained } = await run(trial, ...words);
    expect({ words, code, said }).toEqual({ words, code: 2, said: '' });
    expect(complained).not.toBe('');
  }
  expect((await run(trial, 'lsit')).complained).toContain("did you mean 'list'?");
  for (const words of [['--help'], ['list', '--help'], ['check', '-h'], ['extract', '--help']])
    expect((await run(trial, ...words)).code).toBe(0);
});

test('damage is named beside what can be listed, and the exit code tells of it', async () => {
  const trial = await spool();
  await trial.close();
  trial.world.disk.put(`${BASE}/L0/0000000050.seg`, 'this was never a segment '.repeat(20));
  const { code, written, complained } = await run(trial, 'list', ...WHICH);
  expect(code).toBe(1);
  expect(written.toString().split('\n')).toHaveLength(3);
  expect(complained).toBe(
    'impetus spool: L0/0000000050.seg:0: holds no record of ours\nimpetus spool check says more.\n',
  );
});

test('a date names a day, a minute or a second; every day of four centuries is understood as it is written', async () => {
  const trial = await Trial.open();
  for (let day = 0; day < 146_097; day += 97) {
    const text = timeText(millis(day * 86_400_000));
    expect((await run(trial, 'list', ...WHICH, '--start_date', text)).code, text).toBe(0);
  }
  expect([0, 59, 60, 3599, 3600, 86_399, 86_400, 9_999_999].map((each) => ageText(millis(each * 1000)))).toEqual([
    '0s',
    '59s',
    '1m00s',
    '59m59s',
    '1h00m',
    '23h59m',
    '1d00h',
    '115d17h',
  ]);
});

test('impetus check says that the deletion of Unlink_On_Spool_In_Failure is never done', async () => {
  const trial = await Trial.open();
  const { disk } = trial.world;
  const process = simProcess();
  disk.put('/ours.conf', 'Unlink_On_Spool_In_Failure = true\nSpool_Damaged = "unlink"\n');
  expect(await trial.world.clock.until(checkProgram(trial.world, process, ['-c', '/ours.conf']))).toBe(0);
  expect(process.said).toContain('/ours.conf:1:1: not implemented yet: deletion (it is never done: see Spool_Damaged)');
  expect(process.said.split('\n')).toHaveLength(3);
});
