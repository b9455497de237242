import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyStep, type Known, Script } from '../../test/support/spool-script.ts';
import { BASE, looked, Trial } from '../../test/support/spool-trial.ts';
import { type Disk, DiskError } from '../world/index.ts';
import { simWorld } from '../world/sim/index.ts';
import { checkSpool } from './check.ts';
import { SpoolReader } from './reader.ts';
import { SpoolError } from './spool.ts';

const L0 = `${BASE}/L0`;

/** What of a spool at work who reads it must see, must not see, and may see. */
const alive = (known: ReadonlyMap<string, Known>): string[] =>
  [...known].filter(([, each]) => each.fate === 'kept' && each.done.size < each.recipients).map(([batch]) => batch);
const surelyDone = (known: ReadonlyMap<string, Known>): string[] =>
  [...known]
    .filter(([, each]) => each.refusedForSure || each.doneForSure.size === each.recipients)
    .map(([batch]) => batch);

/** Envelopes with bodies; undefined when the body was gone by the time it was asked for. */
async function read(disk: Disk): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  await using reader = await SpoolReader.open(disk, BASE);
  for await (const batch of reader.receptions()) {
    for (const kept of batch) {
      let body: string | undefined = '';
      try {
        for await (const slice of kept.body()) body += Buffer.from(slice).toString('latin1');
      } catch (why) {
        if (!(why instanceof SpoolError)) throw why;
        body = undefined;
      }
      expect(found.has(kept.envelope.batchId)).toBe(false);
      found.set(kept.envelope.batchId, body);
    }
  }
  expect(reader.damage).toEqual([]);
  return found;
}

test('beside a server at work, whose segments come, are compacted and go: what was kept before is seen, what was done before is not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyStep, { minLength: 5, maxLength: 40, size: 'max' }), { minLength: 3, maxLength: 6 }),
      fc.nat(),
      async (rounds, seed) => {
        const world = simWorld(seed, { diskLatencyMillis: 1 });
        world.disk.settings.shortMillis = [0, 4];
        const trial = await Trial.open({
          world,
          segmentBytes: 3000,
          settings: { large_message_threshold: 3000, spool_min_free: 0, max_resident_bytes: 6000 },
        });
        const script = new Script(trial, () => false);
        for (const steps of rounds) {
          const before = alive(script.known);
          const gone = new Set(surelyDone(script.known));
          const reading = read(world.disk);
          const checking = checkSpool(world.disk, BASE);
          await script.run([...steps, { kind: 'flush', pick: 0 }]);
          const found = await world.clock.until(reading);
          const after = new Set(alive(script.known));
          for (const batch of before) if (after.has(batch)) expect([...found.keys()], batch).toContain(batch);
          for (const [batch, body] of found) {
            expect(gone.has(batch), `${batch} was done before`).toBe(false);
            const known = script.known.get(batch);
            if (body === undefined) expect(after.has(batch), `the body of ${batch} is missing`).toBe(false);
            else expect(body).toBe(known?.body);
          }
          expect((await world.clock.until(checking)).failures).toEqual([]);
        }
        await trial.close();
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);

test('takes no lock and writes nothing: it may not even be allowed to', async () => {
  const trial = await Trial.open();
  await trial.commit('m1', 'one');
  await trial.close();
  const { disk } = trial.world;
  const before = disk.files().map((file) => [file, disk.text(file)]);
  disk.fail({
    operation: ['write', 'sync', 'truncate', 'replace', 'makeDirectory', 'syncDirectory', 'rename', 'remove', 'lock'],
  });
  expect(Object.keys(await looked(disk))).toEqual(['m1']);
  expect(disk.files().map((file) => [file, disk.text(file)])).toEqual(before);
});

test('a segment that vanishes between the list and its opening makes the list old: a new one is made', async () => {
  const trial = await Trial.open();
  await trial.commit('m1', 'one');
  await trial.close();
  const { disk } = trial.world;
  disk.put(`${L0}/0000000099.seg`, 'x');
  let opened = 0;
  const vanishing: Disk = Object.assign(Object.create(disk) as Disk, {
    open: (path: string, how: 'read') => {
      if (path.endsWith('99.seg') && opened++ === 0) disk.remove(path).catch(() => undefined);
      return disk.open(path, how);
    },
    list: (path: string) => disk.list(path),
    status: (path: string) => disk.status(path),
  });
  expect(Object.keys(await looked(vanishing))).toEqual(['m1']);
});

test('what cannot be read is named, and everything else is read', async () => {
  const trial = await Trial.open({ segmentBytes: 1000 });
  for (let i = 0; i < 8; i++) await trial.commit(`m${i}`, `m${i}`.padEnd(400, '.'));
  await trial.close();
  const { disk } = trial.world;
  const [first, second] = trial.segments();
  disk.fail({ operation: 'open', path: first! }, 'EACCES');
  disk.fail({ operation: 'read', path: second! });
  await using reader = await SpoolReader.open(disk, BASE);
  let count = 0;
  for await (const batch of reader.receptions()) count += batch.length;
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(8);
  expect(reader.damage.map(({ place, reason }) => `${place} ${reason}`)).toEqual([
    expect.stringMatching(/^L0\/\d{10}\.seg:0 .* cannot be read: .*EACCES/),
    expect.stringMatching(/^L0\/\d{10}\.seg:0 .* cannot be read: .*EIO/),
  ]);
});

test('finds a message by its id or that of its batch, with what is finished and its latest state', async () => {
  const trial = await Trial.open();
  await trial.commit('m1', 'one');
  const at = await trial.commit('m2', 'two', 3);
  trial.spool.done(at, [1]);
  trial.spool.amend(at, Buffer.from('older'));
  trial.spool.amend(at, Buffer.from('newer'));
  await trial.flush();
  // Nobody has closed it: a server is at work.
  await using reader = await SpoolReader.open(trial.world.disk, BASE);
  for (const id of ['m2', 'm2.0', 'm2.1']) {
    const kept = await reader.find(id);
    expect(kept).toMatchObject({ envelope: { batchId: 'm2' }, done: [1], directory: L0, large: undefined });
    expect(Buffer.from(kept?.state ?? '').toString()).toBe('newer');
  }
  expect(await reader.find('m3')).toBeUndefined();
  expect(await reader.find('sender@source.example')).toBeUndefined();
});

test('a directory that is no spool, or is not there, is said to be none', async () => {
  const { disk } = simWorld();
  disk.put('/home/mail/notes', 'x');
  await expect(SpoolReader.open(disk, '/home/mail')).rejects.toThrow(/^\/home\/mail is no spool/);
  await expect(SpoolReader.open(disk, '/nowhere')).rejects.toMatchObject({
    code: 'IMP_SPOOL_READ',
    cause: expect.any(DiskError),
  });
});
