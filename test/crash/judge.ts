import type { Evidence } from './evidence.ts';
import { fateOf, idIn, type Letter } from './letters.ts';
import type { Arrival } from './sink.ts';

/** Why a recipient may get a message twice; anything else is a fault. */
export type Excuse =
  /** The peer had it and hung up before its 250: nobody can know (RFC 5321 §4.2.5, §6.1). */
  | 'the peer vanished'
  /** The server died before the 250 of the peer had reached it. */
  | 'died before it heard'
  /** The server died after it had heard, before its note of it was on disk. */
  | 'died before the note was durable';

export interface Verdict {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  /** Everything else that must not be, each in a sentence. */
  readonly faults: readonly string[];
  readonly duplicates: readonly Duplicate[];
}

export interface Duplicate {
  /** The life of the server in which the first of the two copies went out. */
  readonly round: number;
  readonly recipient: string;
  readonly excuse: Excuse;
}

/** One life of the server. */
export interface Life {
  readonly killed: boolean;
  readonly evidence: Evidence;
}

/**
 * The books of a trial: what was acknowledged, what arrived, and how each life of the server ended. `close` asks for all
 * of it when the queues are empty.
 */
export class Judge {
  readonly #letters = new Map<string, { readonly letter: Letter; acknowledged: boolean }>();
  readonly #lives = new Map<number, Life>();
  /** Copies by recipient: of a message, or of a bounce about it. */
  readonly #delivered = new Map<string, Arrival[]>();
  readonly #bounced = new Map<string, Arrival[]>();
  readonly #faults: string[] = [];
  /** Letters of these rounds have been judged: nothing of them may ever come again. */
  #judgedThrough = 0;

  begun(letter: Letter): void {
    this.#letters.set(letter.id, { letter, acknowledged: false });
  }

  acknowledged(letter: Letter): void {
    this.#letters.set(letter.id, { letter, acknowledged: true });
  }

  ended(round: number, life: Life): void {
    this.#lives.set(round, life);
  }

  arrived(arrival: Arrival): void {
    const of = `message ${arrival.messageId} for ${arrival.recipients.join(', ')}`;
    if (!arrival.whole) this.#faults.push(`${of} arrived with another body than it was sent with`);
    const bounce = arrival.reversePath === '';
    for (const recipient of bounce ? arrival.failed : arrival.recipients) {
      const id = idIn(recipient);
      if (Number(id.split('-')[0]) <= this.#judgedThrough)
        this.#faults.push(`${of} came again, long after it had been finished`);
      else if (!this.#letters.has(id)) this.#faults.push(`${of} was never sent`);
      else if (bounce && fateOf(recipient) !== 'no')
        this.#faults.push(`${recipient} was bounced, which nobody refused`);
      else put(bounce ? this.#bounced : this.#delivered, recipient, arrival);
    }
  }

  /** Acknowledged recipients that have neither arrived nor bounced yet. */
  missing(): readonly string[] {
    return [...this.#letters.values()].flatMap(({ letter, acknowledged }) =>
      acknowledged ? letter.recipients.filter((recipient) => !this.#has(recipient)) : [],
    );
  }

  /** The queues are empty: what has not arrived is lost. Forgets all letters up to that round. */
  close(round: number): Verdict {
    const lost = [...this.missing()];
    const faults = this.#faults.splice(0);
    const duplicates: Duplicate[] = [];
    let acknowledged = 0;
    for (const { letter, acknowledged: promised } of this.#letters.values()) {
      if (promised) acknowledged++;
      else if (letter.recipients.some((recipient) => this.#has(recipient))) {
        // Nobody was told that it is there; but if it is, then whole.
        const without = letter.recipients.filter((recipient) => !this.#has(recipient));
        if (without.length > 0) faults.push(`of unacknowledged ${letter.id} a part is missing: ${without.join(', ')}`);
      }
    }
    for (const [recipient, copies] of this.#delivered) this.#compare(recipient, copies, duplicates, faults);
    for (const [recipient, copies] of this.#bounced) {
      const ids = new Set(copies.map((copy) => copy.messageId));
      if (ids.size > 1) faults.push(`${recipient} was bounced ${ids.size} times, by ${[...ids].join(' and ')}`);
      this.#compare(recipient, copies, duplicates, faults);
    }
    this.#letters.clear();
    this.#delivered.clear();
    this.#bounced.clear();
    this.#lives.clear();
    this.#judgedThrough = round;
    return { acknowledged, lost, faults, duplicates };
  }

  #has(recipient: string): boolean {
    return (fateOf(recipient) === 'no' ? this.#bounced : this.#delivered).has(recipient);
  }

  /** Each copy but the last needs an excuse for not having been the last. */
  #compare(recipient: string, copies: readonly Arrival[], duplicates: Duplicate[], faults: string[]): void {
    for (const copy of copies.slice(0, -1)) {
      const excuse = this.#excuse(copy);
      if (excuse === undefined)
        faults.push(`${recipient} got ${copy.messageId} again, though its delivery in round ${copy.round} was on disk`);
      else duplicates.push({ round: copy.round, recipient, excuse });
    }
  }

  #excuse({ vanished, round, serial }: Arrival): Excuse | undefined {
    if (vanished) return 'the peer vanished';
    const life = this.#lives.get(round);
    if (life === undefined || !life.killed) return undefined;
    if (!life.evidence.heard.has(serial)) return 'died before it heard';
    return life.evidence.durable.has(serial) ? undefined : 'died before the note was durable';
  }
}

function put(into: Map<string, Arrival[]>, recipient: string, arrival: Arrival): void {
  const copies = into.get(recipient);
  if (copies === undefined) into.set(recipient, [arrival]);
  else copies.push(arrival);
}
