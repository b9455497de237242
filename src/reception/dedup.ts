import type { Millis } from '../base/index.ts';
import type { Envelope, MessageId } from '../message/index.ts';
import type { Reply } from '../smtp/index.ts';
import { DedupJournal, type DedupJournalParts } from './dedup-journal.ts';
import { DedupTable, sumOf } from './dedup-keys.ts';

/** What became of the message whose key came again while it was on its way. */
export type FirstFate =
  | { readonly kind: 'accepted'; readonly id: string; readonly refused: readonly (readonly [number, Reply])[] }
  | { readonly kind: 'refused'; readonly reply: Reply };

/** The variable that carries the key of a message. */
export const DEDUP_VARIABLE = 'ec_dedup';

/** Which messages have been taken already, over connections and restarts. */
export class Dedup {
  readonly #table: DedupTable;
  readonly #journal: DedupJournal | undefined;
  /** Keys under way, and who else waits for each. */
  readonly #pending = new Map<string, ((fate: FirstFate) => void)[]>();
  #waiters: (() => void)[] | undefined = [];

  private constructor(table: DedupTable, journal: DedupJournal | undefined) {
    this.#table = table;
    this.#journal = journal;
  }

  /** @param parts undefined: keys are kept in memory only */
  static async open(parts?: DedupJournalParts): Promise<Dedup> {
    const table = new DedupTable();
    if (parts === undefined) return Dedup.inMemory();
    return new Dedup(table, await DedupJournal.open(parts, (sum, id, at) => table.add(sum, id, at)));
  }

  static inMemory(): Dedup {
    const dedup = new Dedup(new DedupTable(), undefined);
    dedup.recovered();
    return dedup;
  }

  /** Whether all that the spool has to say about keys is known. */
  get ready(): boolean {
    return this.#waiters === undefined;
  }

  whenReady(run: () => void): void {
    if (this.#waiters === undefined) run();
    else this.#waiters.push(run);
  }

  /** A message that came back from the spool. */
  remember(envelope: Envelope): void {
    const key = envelope.protocol === 'ecstream' ? envelope.context.message[DEDUP_VARIABLE] : undefined;
    if (key !== undefined) this.#table.add(sumOf(key), envelope.batchId, envelope.receivedAt);
  }

  /** The spool has been read. */
  recovered(): void {
    const waiters = this.#waiters ?? [];
    this.#waiters = undefined;
    for (const run of waiters) run();
  }

  /** @param sum `sumOf` the key @returns the id of a message with this key that was accepted */
  known(sum: Buffer, now: Millis): MessageId | undefined {
    return this.#table.find(sum, now);
  }

  /** @returns whether the message with this key is under way; then `told` is called with its fate, else it is the caller's */
  joins(key: string, told: (fate: FirstFate) => void): boolean {
    const waiting = this.#pending.get(key);
    if (waiting === undefined) {
      this.#pending.set(key, []);
      return false;
    }
    waiting.push(told);
    return true;
  }

  /** Whether somebody else has brought that message meanwhile, and waits for its fate. */
  awaited(key: string): boolean {
    return (this.#pending.get(key)?.length ?? 0) > 0;
  }

  /** The caller's message has its fate. @param at since the epoch */
  settle(key: string, sum: Buffer, fate: FirstFate | undefined, at: Millis): void {
    const waiting = this.#pending.get(key);
    if (waiting === undefined) return;
    this.#pending.delete(key);
    // A repeat of a message of which some recipients were refused must be judged again: an acknowledgement alone would
    // say that all of them were accepted.
    if (fate?.kind === 'accepted' && fate.refused.length === 0) {
      this.#table.add(sum, fate.id as MessageId, at);
      this.#journal?.add(sum, fate.id as MessageId, at);
    }
    for (const told of waiting) told(fate ?? { kind: 'refused', reply: CUT });
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }
}

const CUT: Reply = { code: 451, enhanced: '4.3.0', text: 'transaction failed' };
