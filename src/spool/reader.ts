import type { Disk } from '../world/index.ts';
import { listed } from './inventory.ts';
import { type Damage, type KeptReception, LoopReader } from './loop-reader.ts';
import { SpoolError } from './spool.ts';

/**
 * A spool as it was at one moment, for who only looks: it takes no lock, writes nothing, and goes beside a running
 * server, of which it sees all that was synced, and perhaps what is just being written.
 *
 * Memory: some 80 bytes for each live reception; envelopes and bodies pass by.
 */
export class SpoolReader implements AsyncDisposable {
  readonly loops: readonly LoopReader[];

  /**
   * Reads all heads; envelopes and bodies come later.
   *
   * @param base `spoolbase`
   * @throws SpoolError IMP_SPOOL_READ: there is no spool, or it may not be read
   */
  static async open(disk: Disk, base: string): Promise<SpoolReader> {
    const loops: LoopReader[] = [];
    try {
      const names = (await listed(disk, base)).filter(({ name, kind }) => kind === 'directory' && /^L\d+$/.test(name));
      if (names.length === 0)
        throw new SpoolError('IMP_SPOOL_READ', `${base} is no spool: there is no directory L0 in it.`);
      for (const { name } of names.sort((one, other) => Number(one.name.slice(1)) - Number(other.name.slice(1))))
        loops.push(await LoopReader.open(disk, `${base}/${name}`));
      return new SpoolReader(loops);
    } catch (cause) {
      for (const loop of loops) await loop[Symbol.asyncDispose]();
      throw cause;
    }
  }

  private constructor(loops: readonly LoopReader[]) {
    this.loops = loops;
  }

  /** What could not be read, so far. */
  get damage(): readonly Damage[] {
    return this.loops.flatMap((loop) => loop.damage);
  }

  /** Live receptions, in batches, in the order in which they stand on disk: mostly the oldest first. */
  async *receptions(): AsyncGenerator<readonly KeptReception[]> {
    for (const loop of this.loops) yield* loop.kept();
  }

  /** @param id of a recipient, or of the batch @returns the live reception of that name */
  async find(id: string): Promise<KeptReception | undefined> {
    const bytes = Buffer.from(JSON.stringify(id));
    for (const loop of this.loops) {
      for await (const batch of loop.kept((meta) => meta.includes(bytes))) {
        for (const kept of batch) {
          const { envelope } = kept;
          if (envelope.batchId === id || envelope.recipients.some((recipient) => recipient.id === id)) return kept;
        }
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const loop of this.loops) await loop[Symbol.asyncDispose]();
  }
}
