import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { BASE, Trial } from '../../test/support/spool-trial.ts';
import type { SimWorld } from '../world/sim/index.ts';

const L0 = `${BASE}/L0`;

/** Some messages in a sealed segment. */
async function left(count = 6, size = 300): Promise<{ world: SimWorld; path: string; bytes: Buffer }> {
  const trial = await Trial.open();
  for (let i = 0; i < count; i++) await trial.commit(`m${i}`, `m${i}`.padEnd(size, '.'));
  await trial.close();
  const [path] = trial.segments();
  return { world: trial.world, path: path!, bytes: Buffer.from(trial.world.disk.text(path!)!, 'latin1') };
}

function unsealed(bytes: Buffer): Buffer {
  // The index and the seal behind it begin after the last body.
  const end = bytes.lastIndexOf(Buffer.from('m5'.padEnd(300, '.'))) + 300;
  return Buffer.from(bytes.subarray(0, end));
}

const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

test('a sealed segment is read by its index, an unsealed one record by record: the same comes out', async () => {
  const { world, path, bytes } = await left();
  const sealed = await Trial.open({ world });
  expect(Object.keys(await sealed.contents())).toEqual(names(0, 6));
  await sealed.close();
  world.disk.put(path, unsealed(bytes));
  const open = await Trial.open({ world });
  expect(Object.keys(await open.contents())).toEqual(names(0, 6));
  expect(open.diagnostics).toEqual([]);
  await open.close();
});

test('a torn tail, cut at any byte, loses only what is not whole, and raises no alarm', async () => {
  const { world, path, bytes } = await left();
  const whole = unsealed(bytes);
  const ends = names(0, 6).map((name) => whole.indexOf(Buffer.from(name.padEnd(300, '.'))) + 300);
  for (let cut = 1; cut < bytes.length; cut += cut % 40 < 3 ? 1 : 17) {
    // Beyond the last body it is the index that is torn.
    world.disk.put(path, bytes.subarray(0, cut));
    const trial = await Trial.open({ world });
    expect(Object.keys(await trial.contents())).toEqual(names(0, ends.filter((end) => end <= cut).length));
    expect(trial.diagnostics.filter((line) => !line.startsWith('NOTICE'))).toEqual([]);
    await trial.close();
  }
});

test('an unsealed segment whose last body is damaged was torn; one further up is damage, kept aside and told', async () => {
  const { world, path, bytes } = await left();
  const torn = unsealed(bytes);
  torn[torn.length - 5] = 0;
  world.disk.put(path, torn);
  let trial = await Trial.open({ world });
  expect(Object.keys(await trial.contents())).toEqual(names(0, 5));
  expect(trial.diagnostics.join()).toMatch(/^NOTICE spool: .* ends in \d+ bytes that were never acknowledged/);
  await trial.close();

  const damaged = unsealed(bytes);
  damaged[damaged.indexOf('m2'.padEnd(300, '.')) + 50]! ^= 1;
  world.disk.put(path, damaged);
  trial = await Trial.open({ world });
  expect(Object.keys(await trial.contents())).toEqual(['m0', 'm1', 'm3', 'm4', 'm5']);
  expect(trial.diagnostics).toHaveLength(1);
  expect(trial.diagnostics[0]).toMatch(
    /^CRITICAL spool: .* is damaged: \d+ bytes at \d+ are no whole record; a copy is in .*\/damaged\//,
  );
  const [copy] = world.disk.files().filter((file) => file.includes('/damaged/'));
  expect(world.disk.text(copy!)).toContain('m2.....');
  await trial.close();
  // The next start says less, and copies nothing again.
  trial = await Trial.open({ world });
  expect(Object.keys(await trial.contents())).toHaveLength(5);
  expect(trial.diagnostics[0]).toMatch(/^ERROR spool: .* a copy is in .* already/);
  await trial.close();
});

test('with spool_damaged = "unlink" what is damaged is told of, not kept: the segment goes when the rest of it is done', async () => {
  const { world, path, bytes } = await left();
  const damaged = unsealed(bytes);
  damaged[damaged.indexOf('m2'.padEnd(300, '.')) + 50]! ^= 1;
  world.disk.put(path, damaged);
  world.disk.put(`${L0}/large/0000000001-0000000001.eml`, 'of the damaged record, perhaps');
  const trial = await Trial.open({ world, settings: { spool_damaged: 'unlink' } });
  for (const { at } of await trial.recovered()) trial.spool.done(at, [0]);
  expect(trial.diagnostics).toEqual([
    expect.stringMatching(/^CRITICAL spool: .* is damaged: .*; no copy is made \(spool_damaged\)/),
    expect.stringMatching(/^WARNING spool: .*0001\.eml belonged to no message that can be read: it was deleted/),
  ]);
  await trial.close();
  expect(world.disk.files().filter((file) => file !== `${BASE}/lock` && file.endsWith('.seg') === false)).toEqual([]);
  expect(world.disk.files()).not.toContain(path);
});

test('damage anywhere in a sealed segment: what is whole is served, and a body with a bad sum is never read to its end', async () => {
  const { world, path, bytes } = await left();
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0xff;
    world.disk.put(path, damaged);
    const trial = await Trial.open({ world });
    const recovered = await trial.recovered();
    expect(recovered.length).toBeGreaterThanOrEqual(5);
    for (const { at: address, envelope } of recovered) {
      try {
        expect(await trial.body(address)).toBe(envelope.batchId.padEnd(300, '.'));
      } catch (why) {
        expect(why).toMatchObject({ code: 'IMP_SPOOL_READ', message: expect.stringContaining('its sum is wrong') });
      }
    }
    await trial.close();
  }
});

test('a message that holds the bytes of a record is never taken for one, even where reading resumes behind damage', async () => {
  const { world, path, bytes } = await left(2);
  const forged = Buffer.from(bytes.subarray(40));
  world.disk.put(path, Buffer.alloc(0));
  const trial = await Trial.open({ world });
  const at = await trial.commit('mail', Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), forged]));
  await trial.commit('next', 'y');
  expect(await trial.body(at)).toContain('m0....');
  await trial.close();
  const file = trial.segments().at(-1);
  const damaged = Buffer.from(world.disk.text(file!)!, 'latin1');
  // The head of the record that holds it, and the seal, so that all is read.
  damaged[41]! ^= 1;
  damaged[50]! ^= 1;
  world.disk.put(file!, damaged.subarray(0, -1));
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents())).toEqual(['next']);
  await again.close();
});

test('empty segments, foreign files and strange directories: a line each kind, nothing is touched, mail is served', async () => {
  const { world } = await left();
  world.disk.put(`${L0}/0000000077.seg`, '');
  world.disk.put(`${L0}/README`, 'mine');
  world.disk.put(`${L0}/large/note.txt`, 'mine');
  world.disk.put(`${BASE}/mbox`, 'mine');
  // The neighbour whom docs/spool.md names, with keys of ECStream.
  world.disk.put(`${BASE}/ecstream/keys`, 'its own');
  const trial = await Trial.open({ world });
  expect(Object.keys(await trial.contents())).toEqual(names(0, 6));
  expect(trial.diagnostics.filter((line) => line.includes('left alone'))).toEqual([
    `WARNING spool: not files of the spool, left alone: ${BASE}/mbox, ${L0}/README, ${L0}/large/note.txt`,
  ]);
  expect(trial.diagnostics.join()).toMatch(/NOTICE spool: .*0000000077.seg is empty and was removed/);
  expect(world.disk.text(`${L0}/README`)).toBe('mine');
  expect(world.disk.files()).not.toContain(`${L0}/0000000077.seg`);
  await trial.commit('new', 'x');
  expect(trial.segments().at(-1)).toBe(`${L0}/0000000078.seg`);
  await trial.close();
});

test('a file of our name without a record of ours goes to damaged; a newer format is left alone', async () => {
  const { world, bytes } = await left();
  world.disk.put(`${L0}/0000000050.seg`, 'this was never a segment, whoever wrote it '.repeat(50));
  const newer = Buffer.from(bytes);
  newer[12] = 2;
  newer.writeUInt32LE(crc32(newer.subarray(0, 36)), 36);
  world.disk.put(`${L0}/0000000051.seg`, newer);
  const trial = await Trial.open({ world });
  expect(Object.keys(await trial.contents())).toEqual(names(0, 6));
  expect(trial.diagnostics.join('\n')).toMatch(/CRITICAL spool: .*51.seg was written by a newer version/);
  expect(world.disk.text(`${BASE}/damaged/0000000050-0.bin`)).toContain('never a segment');
  await trial.close();
  expect(world.disk.files()).not.toContain(`${L0}/0000000050.seg`);
  expect(world.disk.text(`${L0}/0000000051.seg`)).toBe(newer.toString('latin1'));
});

test('a segment that cannot be read now is served at the next start, and nothing it may name is cleared away', async () => {
  const { world, path } = await left();
  world.disk.put(`${L0}/large/0000000001-0000000001.eml`, 'who knows');
  const fault = world.disk.fail({ operation: ['open', 'read'], path });
  const trial = await Trial.open({ world });
  expect(await trial.recovered()).toEqual([]);
  expect(trial.diagnostics.join()).toMatch(/CRITICAL spool: cannot read .*EIO.*tried again at the next start/);
  await trial.commit('new', 'x');
  await trial.close();
  fault[Symbol.dispose]();
  expect(world.disk.files()).toContain(`${L0}/large/0000000001-0000000001.eml`);
  const again = await Trial.open({ world });
  expect(Object.keys(await again.contents())).toEqual([...names(0, 6), 'new']);
  await again.close();
  expect(world.disk.files()).not.toContain(`${L0}/large/0000000001-0000000001.eml`);
});

test('thousands come in batches of a hundred: each is gone before many more have come', async () => {
  const trial = await Trial.open({ segmentBytes: 1_000_000 });
  const { world } = trial;
  await world.clock.until(Promise.all(Array.from({ length: 2500 }, (_, i) => trial.give(`m${i}`, 'x'))));
  await trial.close();
  const again = await Trial.open({ world });
  const sizes: number[] = [];
  await world.clock.until(
    (async () => {
      for await (const batch of again.spool.recover()) sizes.push(batch.length);
    })(),
  );
  expect(sizes).toEqual(new Array(25).fill(100));
  await again.close();
});

test('of a list of 200,000 recipients most are finished: all of that is known after a restart', async () => {
  const trial = await Trial.open({ segmentBytes: 64 * 1024 * 1024 });
  const { world } = trial;
  const at = await trial.commit('list', 'l', 200_000);
  trial.spool.done(at, [0]);
  await trial.flush();
  // As compaction says again what is finished: all of it in one record.
  trial.spool.done(
    at,
    Array.from({ length: 199_000 }, (_, i) => i + 1),
  );
  await trial.close();
  const again = await Trial.open({ world });
  expect((await again.recovered()).map(({ done }) => done.length)).toEqual([199_001]);
  expect(again.diagnostics).toEqual([]);
  await again.close();
});
