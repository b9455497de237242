import { bytesIn, type Segments } from '../../src/base/index.ts';
import type { BodyHold, BodyTraits, Envelope, SpoolAddress } from '../../src/message/index.ts';
import { type Draft, type Recovered, type Spool, SpoolError, type Told } from '../../src/spool/index.ts';

interface Kept {
  readonly envelope: Envelope;
  readonly traits: BodyTraits;
  readonly body: Segments;
  readonly done: Set<number>;
  state: Uint8Array | undefined;
}

/** A spool without a disk for tests of the rooms above it. */
export class MemorySpool implements Spool {
  readonly kept = new Map<number, Kept>();
  /** Bodies are given in a later turn, as a disk would. */
  slow = false;
  /** The next commits are refused. */
  full = false;
  held = 0;
  #next = 1;

  get statistics() {
    return {
      segments: 1,
      bytes: 0,
      receptions: this.kept.size,
      full: this.full,
      residentBytes: 0,
      residentBodies: this.kept.size,
      syncs: 0,
    };
  }

  /** Puts a message in as if it had been received. */
  put(
    envelope: Envelope,
    body: string,
    traits: BodyTraits = { dots: false, lone: false },
  ): { at: SpoolAddress; envelope: Envelope; traits: BodyTraits } {
    const at = this.#next++ as SpoolAddress;
    this.kept.set(at, { envelope, traits, body: [Buffer.from(body, 'latin1')], done: new Set(), state: undefined });
    return { at, envelope, traits };
  }

  draft(): Draft {
    const body: Uint8Array[] = [];
    const spool = this;
    return {
      drained: undefined,
      get length() {
        return bytesIn(body);
      },
      get body() {
        return spool.#hold(body, { dots: false, lone: false });
      },
      prepend(bytes) {
        body.unshift(...bytes);
      },
      append(bytes) {
        body.push(...bytes);
        return true;
      },
      commit(envelope, traits, told) {
        queueMicrotask(() => {
          if (spool.full) {
            told.refused(new SpoolError('IMP_SPOOL_FULL', 'full'));
            return;
          }
          const at = spool.#next++ as SpoolAddress;
          spool.kept.set(at, { envelope, traits, body, done: new Set(), state: undefined });
          told.kept(at);
        });
      },
      discard() {
        body.length = 0;
      },
    };
  }

  hold(at: SpoolAddress): BodyHold {
    const kept = this.kept.get(at);
    if (kept === undefined) throw new SpoolError('IMP_SPOOL_READ', 'no such message');
    return this.#hold(kept.body, kept.traits);
  }

  swapOut(): void {}

  adjust(): void {}

  amend(at: SpoolAddress, state: Uint8Array): void {
    const kept = this.kept.get(at);
    if (kept !== undefined) kept.state = state;
  }

  done(at: SpoolAddress, recipients: readonly number[]): void {
    const kept = this.kept.get(at);
    if (kept === undefined) throw new Error('done for a message that is not there');
    for (const recipient of recipients) kept.done.add(recipient);
    if (kept.done.size === kept.envelope.recipients.length) this.kept.delete(at);
  }

  replace(
    at: SpoolAddress,
    recipients: readonly number[],
    draft: Draft,
    envelope: Envelope,
    traits: BodyTraits,
    told: Told,
  ): void {
    draft.commit(envelope, traits, {
      kept: (address) => {
        this.done(at, recipients);
        told.kept(address);
      },
      refused: told.refused,
    });
  }

  async *recover(): AsyncIterable<readonly Recovered[]> {
    yield [...this.kept].map(([at, kept]) => ({
      at: at as SpoolAddress,
      envelope: kept.envelope,
      traits: kept.traits,
      done: [...kept.done],
      state: kept.state,
    }));
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #hold(body: Segments, traits: BodyTraits): BodyHold {
    let given = 0;
    const spool = this;
    spool.held++;
    let held = true;
    return {
      length: bytesIn(body),
      traits,
      next() {
        const view = body[given];
        if (view === undefined) return undefined;
        given++;
        return spool.slow ? Promise.resolve([view]) : [view];
      },
      rewind() {
        given = 0;
      },
      [Symbol.dispose]() {
        if (held) spool.held--;
        held = false;
      },
    };
  }
}
