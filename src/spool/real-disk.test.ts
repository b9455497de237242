import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Fate, readBody, SETTINGS, TRAITS, told } from '../../test/support/spool-trial.ts';
import { bindingName } from '../base/index.ts';
import type { Envelope, MessageId, SpoolAddress } from '../message/index.ts';
import { nodeWorld } from '../world/node/index.ts';
import { openSpool } from './open-spool.ts';
import type { Recovered, Spool } from './spool.ts';

let directory: string;
const { clock, disk, chance } = nodeWorld();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'impetus-spool-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

const open = (segmentBytes: number): Promise<Spool> =>
  openSpool({ disk, clock, chance, directory, settings: SETTINGS, segmentBytes, compactionSettleMillis: 0 });

async function commit(spool: Spool, batch: string, body: Uint8Array): Promise<SpoolAddress> {
  const envelope: Envelope = {
    batchId: batch as MessageId,
    connectionId: 'c' as MessageId,
    receivedAt: clock.date(),
    reversePath: '',
    protocol: 'internal',
    peer: '',
    recipients: [{ id: batch as MessageId, path: 'a@b.example', binding: bindingName('default') }],
    size: body.length,
    context: { connection: {}, message: {} },
  };
  const draft = spool.draft();
  draft.append([body]);
  const { at, why } = await new Promise<Fate>((resolve) => draft.commit(envelope, TRAITS, told(resolve)));
  if (at === undefined) throw why ?? new Error('neither kept nor refused');
  return at;
}

test('on the real disk: kept, deleted when done, recovered, with the mode that was asked for', async () => {
  let rest: string[];
  {
    await using spool = await open(100_000);
    const all = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => ({
        i,
        at: await commit(spool, `m${i}`, Buffer.alloc(i === 7 ? 200_000 : 3000, i)),
      })),
    );
    for (const { i, at } of all) if (i % 20 !== 7) spool.done(at, [0]);
    await spool.flush();
    rest = all.filter(({ i }) => i % 20 === 7).map(({ i }) => `m${i}`);
    expect((await stat(join(directory, 'L0', (await readdir(join(directory, 'L0')))[0]!))).mode & 0o777).toBe(0o640);
    await expect(open(100_000)).rejects.toMatchObject({
      code: 'IMP_SPOOL_LOCKED',
      message: expect.stringContaining(String(process.pid)),
    });
  }
  await using spool = await open(100_000);
  const recovered: Recovered[] = [];
  for await (const batch of spool.recover()) recovered.push(...batch);
  expect(recovered.map(({ envelope }) => envelope.batchId as string).sort()).toEqual(rest.sort());
  for (const { at, envelope } of recovered) {
    const body = Buffer.from(await readBody(spool.hold(at), 1_000_000), 'latin1');
    expect(body.every((byte) => byte === Number(envelope.batchId.slice(1)) % 256)).toBe(true);
    expect(body.length).toBe(envelope.size);
    spool.done(at, [0]);
  }
  await spool[Symbol.asyncDispose]();
  expect(await readdir(join(directory, 'L0', 'large'))).toEqual([]);
});
