import { bindingName, joined, type Segments } from '../../src/base/index.ts';
import type { BodyHold, BodyTraits, Envelope, MessageId, SpoolAddress } from '../../src/message/index.ts';
import type { Draft, Recovered, Spool, SpoolError, SpoolSettings } from '../../src/spool/index.ts';
import { type OpenSpoolParts, openSpool, SpoolReader } from '../../src/spool/index.ts';
import type { Disk, DiskFile } from '../../src/world/index.ts';
import { type SimDisk, type SimWorld, simWorld } from '../../src/world/sim/index.ts';

/** Settings for tests of this room. */
export const SETTINGS: SpoolSettings = {
  spool_mode: 0o640,
  force_fsync: true,
  large_message_threshold: 131_072,
  max_resident_messages: 0,
  max_resident_bytes: 64 * 1024 * 1024,
  spool_min_free: 1024,
};
export const TRAITS: BodyTraits = { dots: false, lone: false };
export const BASE = '/var/spool/impetus';

/** What became of one reception. */
export interface Fate {
  readonly at: SpoolAddress | undefined;
  readonly why: SpoolError | undefined;
}

export function envelope(world: SimWorld, batch: string, recipients = 1): Envelope {
  return {
    batchId: batch as MessageId,
    connectionId: 'connection' as MessageId,
    receivedAt: world.clock.date(),
    reversePath: 'sender@source.example',
    recipients: Array.from({ length: recipients }, (_, i) => ({
      id: `${batch}.${i}` as MessageId,
      path: `r${i}@destination.example`,
      binding: bindingName('default'),
    })),
    protocol: 'esmtp',
    peer: '192.0.2.1',
    size: 0,
    context: { connection: {}, message: { subject: 'Grüße' } },
  };
}

/** A spool in a simulated world. */
export class Trial {
  readonly world: SimWorld;
  readonly spool: Spool;
  readonly diagnostics: string[];

  static async open(
    parts: {
      world?: SimWorld;
      disk?: Disk;
      settings?: Partial<SpoolSettings>;
      segmentBytes?: number;
      compactionSettleMillis?: number;
    } = {},
  ): Promise<Trial> {
    const world = parts.world ?? simWorld(1);
    const diagnostics: string[] = [];
    const open: OpenSpoolParts = {
      disk: parts.disk ?? world.disk,
      clock: world.clock,
      chance: world.chance,
      directory: BASE,
      events: { diagnose: (level, module, text) => diagnostics.push(`${level} ${module}: ${text}`) },
      settings: { ...SETTINGS, ...parts.settings },
      segmentBytes: parts.segmentBytes ?? 64 * 1024,
      compactionSettleMillis: parts.compactionSettleMillis ?? 0,
    };
    return new Trial(world, await world.clock.until(openSpool(open)), diagnostics);
  }

  private constructor(world: SimWorld, spool: Spool, diagnostics: string[]) {
    this.world = world;
    this.spool = spool;
    this.diagnostics = diagnostics;
  }

  draft(...texts: (string | Uint8Array)[]): Draft {
    const draft = this.spool.draft();
    for (const text of texts) draft.append([typeof text === 'string' ? Buffer.from(text, 'latin1') : text]);
    return draft;
  }

  /** Begins a commit. @returns what became of it, later */
  give(batch: string, body: string | Uint8Array, recipients = 1): Promise<Fate> {
    return new Promise((resolve) =>
      this.draft(body).commit(envelope(this.world, batch, recipients), TRAITS, told(resolve)),
    );
  }

  /** Commits and waits. */
  async commit(batch: string, body: string | Uint8Array, recipients = 1): Promise<SpoolAddress> {
    const { at, why } = await this.world.clock.until(this.give(batch, body, recipients));
    if (at === undefined) throw why ?? new Error('neither kept nor refused');
    return at;
  }

  replace(at: SpoolAddress, recipients: readonly number[], batch: string, body: string): Promise<Fate> {
    return new Promise((resolve) =>
      this.spool.replace(at, recipients, this.draft(body), envelope(this.world, batch), TRAITS, told(resolve)),
    );
  }

  flush(): Promise<void> {
    return this.world.clock.until(this.spool.flush());
  }

  body(at: SpoolAddress): Promise<string> {
    return this.world.clock.until(readBody(this.spool.hold(at)));
  }

  async recovered(): Promise<Recovered[]> {
    const all: Recovered[] = [];
    await this.world.clock.until(
      (async () => {
        for await (const batch of this.spool.recover()) all.push(...batch);
      })(),
    );
    return all;
  }

  /** What is recovered, as batch → body, finished recipients and state. */
  async contents(): Promise<Contents> {
    const contents: Contents = {};
    for (const { at, envelope, done, state } of await this.recovered()) {
      if (contents[envelope.batchId]) throw new Error(`${envelope.batchId} was recovered twice`);
      contents[envelope.batchId] = { body: await this.body(at), done, state: state && Buffer.from(state).toString() };
    }
    return contents;
  }

  close(): Promise<void> {
    return this.world.clock.until(Promise.resolve(this.spool[Symbol.asyncDispose]()));
  }

  segments(): string[] {
    return this.world.disk.files().filter((file) => file.endsWith('.seg'));
  }
}

export type Contents = Record<string, { body: string; done: readonly number[]; state: string | undefined }>;

/** What a reader without the lock sees of the spool on that disk, in the form of `Trial.contents`. */
export async function looked(disk: Disk): Promise<Contents> {
  const contents: Contents = {};
  // Whose power went before the first directory was made has no spool yet.
  if (!(await disk.status(`${BASE}/L0`))) return contents;
  await using reader = await SpoolReader.open(disk, BASE);
  for await (const batch of reader.receptions()) {
    for (const kept of batch) {
      const { batchId } = kept.envelope;
      if (contents[batchId]) throw new Error(`${batchId} was read twice`);
      const slices: Uint8Array[] = [];
      for await (const slice of kept.body()) slices.push(slice);
      const body = joined(slices).toString('latin1');
      contents[batchId] = { body, done: kept.done, state: kept.state && Buffer.from(kept.state).toString() };
    }
  }
  return contents;
}

export function told(resolve: (fate: Fate) => void): { kept(at: SpoolAddress): void; refused(why: SpoolError): void } {
  return { kept: (at) => resolve({ at, why: undefined }), refused: (why) => resolve({ at: undefined, why }) };
}

export async function readBody(hold: BodyHold, most = 10_000): Promise<string> {
  try {
    const all: Segments[] = [];
    for (let slice = hold.next(most); slice !== undefined; slice = hold.next(most)) all.push(await slice);
    return joined(all.flat()).toString('latin1');
  } finally {
    hold[Symbol.dispose]();
  }
}

/** The same disk, with the power cut in front of one operation. */
export class CuttingDisk implements Disk {
  readonly #disk: SimDisk;
  readonly #cutAt: number;
  operations = 0;
  /** The disk as it comes back, once the power was cut. */
  left: SimDisk | undefined;

  constructor(disk: SimDisk, cutAt: number) {
    this.#disk = disk;
    this.#cutAt = cutAt;
  }

  #count(): SimDisk {
    if (this.operations++ === this.#cutAt) this.left = this.#disk.crash();
    return this.#disk;
  }

  async open(path: string, how: 'read' | 'append' | 'create', mode?: number): Promise<DiskFile> {
    const file = await this.#count().open(path, how, mode);
    return {
      size: file.size,
      write: async (bytes, at) => {
        this.#count();
        return file.write(bytes, at);
      },
      sync: async () => {
        this.#count();
        return file.sync();
      },
      read: (at, length) => file.read(at, length),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  }
  async read(path: string): Promise<Uint8Array> {
    return this.#disk.read(path);
  }
  async replace(path: string, bytes: Uint8Array, mode?: number): Promise<void> {
    return this.#count().replace(path, bytes, mode);
  }
  async list(path: string): ReturnType<Disk['list']> {
    return this.#disk.list(path);
  }
  async status(path: string): ReturnType<Disk['status']> {
    return this.#disk.status(path);
  }
  async writable(path: string): Promise<boolean> {
    return this.#disk.writable(path);
  }
  async makeDirectory(path: string, mode?: number): Promise<void> {
    return this.#count().makeDirectory(path, mode);
  }
  async syncDirectory(path: string): Promise<void> {
    return this.#count().syncDirectory(path);
  }
  async rename(from: string, to: string): Promise<void> {
    return this.#count().rename(from, to);
  }
  async remove(path: string): Promise<void> {
    return this.#count().remove(path);
  }
  async free(path: string): Promise<number> {
    return this.#disk.free(path);
  }
  async lock(path: string): Promise<AsyncDisposable> {
    return this.#disk.lock(path);
  }
}
