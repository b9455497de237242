import fc from 'fast-check';
import type { BodyHold, SpoolAddress } from '../../src/message/index.ts';
import { envelope, TRAITS, type Trial } from './spool-trial.ts';

/** What a user of the spool knows about one message, and may rely on. */
export interface Known {
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
  | {
      readonly kind: 'done' | 'amend' | 'replace' | 'swap out' | 'hold';
      readonly pick: number;
      readonly recipient: number;
    }
  | { readonly kind: 'flush' | 'idle' | 'discard'; readonly pick: number };

/** Mostly mail that comes and goes. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      size: fc.oneof(
        { weight: 3, arbitrary: fc.nat(400) },
        { weight: 3, arbitrary: fc.nat(1500) },
        { weight: 1, arbitrary: fc.nat(6000) },
      ),
      recipients: fc.constantFrom(1, 1, 1, 2, 9),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('done' as const), pick: fc.nat(100), recipient: fc.nat(100) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('amend' as const, 'replace' as const, 'swap out' as const, 'hold' as const),
      pick: fc.nat(100),
      recipient: fc.nat(100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'idle' as const, 'discard' as const),
      pick: fc.nat(4000),
    }),
  },
);

/** Drives a spool, and writes down what it was promised until the power is cut. */
export class Script {
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
        this.trial
          .draft(known.body)
          .commit(envelope(world, `m${this.#count}`, step.recipients), TRAITS, this.#told(known));
        if (step.wait) await world.clock.advance(3);
        return;
      }
      case 'flush': {
        const asked = [...this.known.values()].map((known) => ({
          known,
          done: [...known.done],
          states: known.states.length,
          refused: known.fate === 'refused',
        }));
        let flushed = false;
        spool.flush().then(
          () => (flushed = true),
          () => undefined,
        );
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
        if (
          [...this.known.values()].some(({ replaces }) => replaces?.batch === batch && replaces.recipient === recipient)
        )
          return;
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
        if (
          [...this.known.values()].some(({ replaces }) => replaces?.batch === batch && replaces.recipient === recipient)
        )
          return;
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
    const known: Known = {
      body,
      recipients,
      fate: 'waiting',
      refusedForSure: false,
      at: undefined,
      done: new Set(),
      doneForSure: new Set(),
      states: [],
      stateForSure: 0,
      replaces,
    };
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
