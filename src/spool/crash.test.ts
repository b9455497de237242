import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BodyHold, SpoolAddress } from '../message/index.ts';
import type { Disk } from '../world/index.ts';
import { simWorld, type SimWorld } from '../world/sim/index.ts';
import { CuttingDisk, TRAITS, Trial, envelope } from './trial.ts';

/** What a user of the spool knows about one message, and may rely on. */
interface Known {
  readonly body: string;
  readonly recipients: number;
  fate: 'waiting' | 'kept' | 'refused';
  /** A disk that fails again and again keeps us from writing down that something was refused: certain after a flush only. */
  refusedForSure: boolean;
  at: SpoolAddress | undefined;
  /** Asked for, and for sure. */
  readonly done: Set<number>;
  readonly doneForSure: Set<number>;
  states: string[];
  stateForSure: number;
  /** A recipient of that message goes when, and only when, this one comes. */
  replaces: { readonly batch: string; readonly recipient: number } | undefined;
}

export type Step =
  | { readonly kind: 'commit'; readonly size: number; readonly recipients: number; readonly wait: boolean }
  | { readonly kind: 'done' | 'amend' | 'replace' | 'swap out' | 'hold'; readonly pick: number; readonly recipient: number }
  | { readonly kind: 'flush' | 'idle' | 'discard'; readonly pick: number };

/** Drives a spool, and writes down what it was promised until the power is cut. */
class Script {
  readonly known: Map<string, Known>;
  readonly trial: Trial;
  readonly #over: () => boolean;
  #count = 0;
  #states = 0;
  readonly #holds: BodyHold[] = [];

  constructor(trial: Trial, over: () => boolean, known = new Map<string, Known>()) {
    this.trial = trial;
    this.#over = over;
    this.known = known;
    this.#count = known.size;
  }

  /** After a power cut: from now on that counts which was found. */
  async recover(): Promise<void> {
    const found = new Map((await this.trial.recovered()).map((each) => [each.envelope.batchId as string, each]));
    if (this.#over()) return;
    for (const [batch, known] of this.known) {
      const each = found.get(batch);
      known.fate = each || known.fate === 'kept' ? 'kept' : 'refused';
      known.refusedForSure = known.fate === 'refused';
      known.at = each?.at;
      known.replaces = undefined;
      known.states = each?.state ? [Buffer.from(each.state).toString()] : [];
      known.stateForSure = known.states.length;
      known.done.clear();
      for (const recipient of each?.done ?? Array.from({ length: known.recipients }, (_, i) => i)) {
        known.done.add(recipient);
        known.doneForSure.add(recipient);
      }
    }
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.#over()) return;
      await this.#step(step);
    }
  }

  async #step(step: Step): Promise<void> {
    const { world, spool } = this.trial;
    switch (step.kind) {
      case 'commit': {
        const known = this.#begin(step.size, step.recipients, undefined);
        this.trial.draft(known.body).commit(envelope(world, `m${this.#count}`, step.recipients), TRAITS, this.#told(known));
        if (step.wait) await world.clock.advance(3);
        return;
      }
      case 'flush': {
        const asked = [...this.known.values()].map((known) => ({ known, done: [...known.done], states: known.states.length, refused: known.fate === 'refused' }));
        let flushed = false;
        spool.flush().then(() => (flushed = true), () => undefined);
        await world.clock.advance(40);
        if (!flushed || this.#over()) return;
        for (const { known, done, states, refused } of asked) {
          if (refused) known.refusedForSure = true;
          for (const each of done) known.doneForSure.add(each);
          known.stateForSure = states;
        }
        return;
      }
      case 'idle':
        return world.clock.advance(step.pick);
      case 'discard':
        this.trial.draft('x'.repeat(step.pick)).discard();
        return;
      default:
        return this.#withOne(step);
    }
  }

  async #withOne(step: Extract<Step, { pick: number; recipient: number }>): Promise<void> {
    const { world, spool } = this.trial;
    const live = [...this.known].filter(([, known]) => known.at !== undefined && known.done.size < known.recipients);
    // Mostly one of the newest: so that old segments keep a few messages each.
    const among = step.pick < 85 ? Math.min(5, live.length) : live.length;
    const [batch, known] = live[live.length - 1 - (step.pick % Math.max(1, among))] ?? [];
    if (batch === undefined || known?.at === undefined) return;
    const recipient = step.recipient % known.recipients;
    switch (step.kind) {
      case 'done':
        if ([...this.known.values()].some(({ replaces }) => replaces?.batch === batch && replaces.recipient === recipient)) return;
        spool.done(known.at, [recipient]);
        known.done.add(recipient);
        return;
      case 'amend':
        known.states.push(`state ${this.#count}.${++this.#states}`);
        spool.amend(known.at, Buffer.from(known.states.at(-1)!));
        return;
      case 'swap out':
        return spool.swapOut(known.at);
      case 'hold':
        // Somebody who is slow: the segment cannot be deleted meanwhile.
        spool.swapOut(known.at);
        this.#holds.push(spool.hold(known.at));
        if (this.#holds.length > 3) this.#holds.shift()![Symbol.dispose]();
        return;
      case 'replace': {
        if (known.done.has(recipient)) return;
        if ([...this.known.values()].some(({ replaces }) => replaces?.batch === batch && replaces.recipient === recipient)) return;
        const fresh = this.#begin(50, 1, { batch, recipient });
        const draft = this.trial.draft(fresh.body);
        const name = `m${this.#count}`;
        const { kept, refused } = this.#told(fresh);
        spool.replace(known.at, [recipient], draft, envelope(world, name), TRAITS, {
          kept: (at) => {
            if (!this.#over()) {
              known.done.add(recipient);
              known.doneForSure.add(recipient);
            }
            kept(at);
          },
          refused,
        });
        await world.clock.settle();
      }
    }
  }

  #begin(size: number, recipients: number, replaces: Known['replaces']): Known {
    const name = `m${++this.#count}`;
    const body = `${name}:`.padEnd(size, `${name}.`);
    const known: Known = { body, recipients, fate: 'waiting', refusedForSure: false, at: undefined, done: new Set(), doneForSure: new Set(), states: [], stateForSure: 0, replaces };
    this.known.set(name, known);
    return known;
  }

  #told(known: Known): { kept(at: SpoolAddress): void; refused(): void } {
    return {
      kept: (at) => {
        if (this.#over()) return;
        known.fate = 'kept';
        known.at = at;
      },
      refused: () => {
        if (!this.#over()) known.fate = 'refused';
      },
    };
  }
}

/** Opens what a power cut left and holds it against what was promised. */
async function check(known: ReadonlyMap<string, Known>, world: SimWorld): Promise<void> {
  const trial = await Trial.open({ world, ...SMALL });
  const contents = await trial.contents();
  for (const [batch, each] of known) {
    const found = contents[batch];
    const where = `${batch} (${each.fate})`;
    const pending = [...known.values()].filter(({ replaces, fate }) => replaces?.batch === batch && fate !== 'refused' && !each.done.has(replaces.recipient));
    if (each.fate === 'kept' && each.done.size + pending.length < each.recipients) expect(found, `${where} was acknowledged`).toBeDefined();
    if (each.refusedForSure) expect(found, `${where} must not come back`).toBeUndefined();
    if (each.doneForSure.size === each.recipients) expect(found, `${where} was done`).toBeUndefined();
    if (found) {
      expect(found.body, where).toBe(each.body);
      for (const recipient of each.doneForSure) expect(found.done, where).toContain(recipient);
      if (each.stateForSure > 0) expect(each.states.slice(each.stateForSure - 1), where).toContain(found.state);
    }
    if (each.replaces) {
      const old = contents[each.replaces.batch];
      const gone = old === undefined || old.done.includes(each.replaces.recipient);
      // The new one cannot be done in this script unless it was kept, so its absence before that means it never was.
      if (each.done.size + pending.length === 0) expect(gone, `${where} and the recipient it stands for`).toBe(found !== undefined);
    }
  }
  for (const batch of Object.keys(contents)) expect(known.has(batch), `${batch} was never given`).toBe(true);
  expect(trial.diagnostics.filter((line) => /CRITICAL|ERROR/.test(line) && !/damaged/.test(line))).toEqual([]);
  // Whatever it was, the spool works again, and is empty when all is done.
  await trial.commit('after', 'mail of the next day');
  await trial.close();
  const last = await Trial.open({ world, ...SMALL });
  const rest = await last.recovered();
  expect(rest.map(({ envelope }) => envelope.batchId).sort()).toEqual([...Object.keys(contents), 'after'].sort());
  for (const { at, envelope } of rest) last.spool.done(at, envelope.recipients.map((_, i) => i));
  await last.close();
  await (await Trial.open({ world, ...SMALL })).close();
  const empty = await Trial.open({ world, ...SMALL });
  expect(await empty.recovered()).toEqual([]);
  await empty.close();
  expect(world.disk.files().filter((file) => file.endsWith('.eml'))).toEqual([]);
}

const SMALL = { segmentBytes: 2048, settings: { large_message_threshold: 3000, spool_min_free: 0, max_resident_bytes: 6000 } } as const;

/** @returns how many operations the script needs when nothing goes wrong before `cutAt`; a second script goes on after the cut */
async function cut(steps: readonly Step[], cutAt: number, seed: number, latency: number, spoil?: (world: SimWorld) => void, then?: { readonly steps: readonly Step[]; readonly cutAt: number }): Promise<number> {
  const world = simWorld(seed, { diskLatencyMillis: latency });
  const first = await until(steps, cutAt, world, new Map(), spoil);
  if (!then) {
    await check(first.known, first.world);
    return first.operations;
  }
  const second = await until(then.steps, then.cutAt, first.world, first.known);
  await check(second.known, second.world);
  return first.operations;
}

async function until(steps: readonly Step[], cutAt: number, world: SimWorld, known: Map<string, Known>, spoil?: (world: SimWorld) => void): Promise<{ world: SimWorld; known: Map<string, Known>; operations: number }> {
  const disk = new CuttingDisk(world.disk, cutAt);
  try {
    const trial = await Trial.open({ world, disk: disk as Disk, ...SMALL });
    const script = new Script(trial, () => disk.left !== undefined, known);
    spoil?.(world);
    if (known.size > 0) await script.recover();
    if (!disk.left) await script.run(steps);
    await world.clock.advance(200);
  } catch (cause) {
    // Opening may fall into the cut too.
    if (!disk.left) throw cause;
  }
  return { world: { ...world, disk: disk.left ?? world.disk.crash() }, known, operations: disk.operations };
}

const commit = (size: number, recipients = 1, wait = true): Step => ({ kind: 'commit', size, recipients, wait });
const done = (pick: number, recipient = 0): Step => ({ kind: 'done', pick, recipient });
const replace = (pick: number, recipient = 0): Step => ({ kind: 'replace', pick, recipient });
const amend = (pick: number): Step => ({ kind: 'amend', pick, recipient: 0 });
const idle = (pick: number): Step => ({ kind: 'idle', pick });
const FLUSH: Step = { kind: 'flush', pick: 0 };

const SCRIPT: readonly Step[] = [
  commit(500), commit(1500, 3, false), commit(200, 1, false), idle(5), done(0), amend(0), FLUSH,
  commit(4000), idle(5), replace(0, 1), replace(1), commit(900, 2, false), idle(60), done(1, 1), commit(100, 1, false), done(0), commit(100), FLUSH,
  ...Array.from({ length: 8 }, () => commit(1200)), amend(2), done(3), done(3), done(3), done(3), done(3), FLUSH,
  { kind: 'discard', pick: 5000 }, commit(5000, 2, false), idle(100), done(0), done(1), idle(100), commit(300), FLUSH, idle(3000), commit(100),
];

test('the power may be cut in front of any operation of the disk: nothing acknowledged is lost, nothing done comes back', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const operations = await cut(SCRIPT, Infinity, seed, 0);
    expect(operations).toBeGreaterThan(60);
    for (let at = 0; at < operations; at++) await cut(SCRIPT, at, seed * 1000 + at, 0);
  }
}, 120_000);

test('the same with a disk that takes its time, so that writes, deletions and new mail overlap', async () => {
  const operations = await cut(SCRIPT, Infinity, 7, 2);
  for (let at = 0; at < operations; at++) await cut(SCRIPT, at, 7000 + at, 2);
}, 120_000);

test('who is refused because a sync failed once may believe it at once', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const world = simWorld(seed, { diskLatencyMillis: 1 });
    const trial = await Trial.open({ world, ...SMALL });
    await trial.commit('before', 'kept');
    world.disk.fail({ operation: seed % 2 === 0 ? 'sync' : 'write', times: 1 });
    const fates = await world.clock.until(Promise.all(Array.from({ length: 5 }, (_, i) => trial.give(`refused${i}`, 'x'.repeat(100)))));
    const left = { ...world, disk: world.disk.crash() };
    expect(fates.map(({ why }) => why?.code)).toEqual(Array(5).fill('IMP_SPOOL_WRITE'));
    const again = await Trial.open({ world: left, ...SMALL });
    expect(Object.keys(await again.contents())).toEqual(['before']);
    await again.close();
  }
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), size: fc.oneof({ weight: 5, arbitrary: fc.nat(400) }, { weight: 1, arbitrary: fc.nat(6000) }), recipients: fc.constantFrom(1, 1, 1, 2, 9), wait: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('done' as const), pick: fc.nat(100), recipient: fc.nat(100) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('amend' as const, 'replace' as const, 'swap out' as const, 'hold' as const), pick: fc.nat(100), recipient: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'idle' as const, 'discard' as const), pick: fc.nat(4000) }) },
);

/** Long ones and short ones alike: the trouble is with what outlives a few segments. */
const script = fc.noBias(fc.array(step, { minLength: 5, maxLength: 300, size: 'max' }));
const cutAt = fc.noBias(fc.nat(400));

test('random scripts, random cuts', async () => {
  await fc.assert(
    fc.asyncProperty(script, cutAt, fc.nat(), fc.constantFrom(0, 1, 7), async (steps, at, seed, latency) => {
      await cut(steps, at, seed, latency);
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('random scripts, cut twice', async () => {
  await fc.assert(
    fc.asyncProperty(script, cutAt, script, cutAt, fc.nat(), fc.constantFrom(0, 1), async (steps, at, more, again, seed, latency) => {
      await cut(steps, at, seed, latency, undefined, { steps: more, cutAt: again });
    }),
    { numRuns: 100 },
  );
}, 120_000);

test('random scripts on a disk whose writes and syncs fail now and then, cut at the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      script, fc.nat(), fc.constantFrom(0, 3),
      fc.array(fc.record({ operation: fc.constantFrom('write' as const, 'sync' as const, 'open' as const, 'syncDirectory' as const, 'remove' as const), after: fc.noBias(fc.nat(100)), times: fc.integer({ min: 1, max: 3 }) }), { maxLength: 4 }),
      async (steps, seed, latency, faults) => {
        const quiet: Step[] = [{ kind: 'idle', pick: 3000 }, FLUSH];
        await cut([...steps, ...quiet], Infinity, seed, latency, (world) => {
          for (const fault of faults) world.disk.fail(fault, 'EIO');
        });
      },
    ),
    { numRuns: 100 },
  );
}, 120_000);
