import { Lru, type Millis, millis } from '../../base/index.ts';
import type { Envelope, MessageId } from '../../message/index.ts';
import type { Reply } from '../../smtp/index.ts';
import { DedupJournal, type DedupJournalParts } from './dedup-journal.ts';
import { DedupTable, KEY_SECONDS, sumOf } from './dedup-keys.ts';

/** What became of the message whose key came again while it was on its way. */
export type FirstFate =
  | { readonly kind: 'accepted'; readonly id: string; readonly refused: readonly (readonly [number, Reply])[] }
  | { readonly kind: 'refused'; readonly reply: Reply };

/** Messages that are remembered with their refused recipients, and so many of these: the others are judged anew. */
const MOST_PARTLY = 10_000;
const MOST_REFUSED = 20;

/** The variable that carries the key of a message. */
export const DEDUP_VARIABLE = 'ec_dedup';

/** Which messages have been taken already, over connections and restarts. */
export class Dedup {
  readonly #table: DedupTable;
  readonly #journal: DedupJournal | undefined;
  /**
   * Those of which some recipients were refused, by the bytes of their sums. They are in memory only: after a restart they
   * are judged anew, since an acknowledgement alone would say that all recipients were accepted.
   */
  readonly #partly = new Lru<string, FirstFate>(MOST_PARTLY);
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

  /** @param sum `sumOf` the key @returns what became of a message with this key that was accepted */
  known(sum: Buffer, now: Millis): FirstFate | undefined {
    const id = this.#table.find(sum, now);
    return id === undefined ? this.#partly.get(sum.toString('latin1'), now) : { kind: 'accepted', id, refused: [] };
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
    if (fate?.kind === 'accepted') {
      if (fate.refused.length === 0) {
        this.#table.add(sum, fate.id as MessageId, at);
        this.#journal?.add(sum, fate.id as MessageId, at);
      } else if (fate.refused.length <= MOST_REFUSED) {
        this.#partly.set(sum.toString('latin1'), fate, millis(at + KEY_SECONDS * 1000));
      }
    }
    for (const told of waiting) told(fate ?? { kind: 'refused', reply: CUT });
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }
}

const CUT: Reply = { code: 451, enhanced: '4.3.0', text: 'transaction failed' };
