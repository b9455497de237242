import { readFileSync } from 'node:fs';
import { Intruder } from './hostile.ts';
import { textOf } from './session.ts';
import type { Plan } from './smtp-plan.ts';
import { type Desk, type Letter, Sender } from './smtp-sender.ts';
import { Tally } from './tally.ts';

/** One process of the load generator: `fork`ed by smtp.ts, which sends the plan and is sent tallies. */

/** Connections that are being opened at a time: more, and the server's backlog is what is measured. */
const MOST_OPENING = 256;
/** Milliseconds after a connection that failed before the next one. */
const BREATH = 20;
const REPORT = 250;

class Worker implements Desk {
  readonly plan: Plan;
  readonly tally = new Tally();
  ticket: Buffer | undefined;
  readonly #first: number;
  readonly #done: () => void;
  readonly #texts: readonly Letter[];
  readonly #senders = new Set<Sender | Intruder>();
  readonly #waiting: Sender[] = [];
  readonly #began = performance.now();
  #failures = 0;
  #breatheUntil = 0;
  #numbers = 0;
  #given = 0;
  #released = 0;
  #ending = false;

  /** @param first  number of its first message and connection @param done  told once */
  constructor(plan: Plan, first: number, done: () => void) {
    this.plan = plan;
    this.#first = first;
    this.#done = done;
    this.#texts = textsOf(plan);
    setInterval(() => this.#tick(), plan.hostile === undefined && plan.rate === 0 ? 100 : 5);
  }

  letter(sender: Sender, ahead: boolean): Letter | 'wait' | undefined {
    const { count, rate } = this.plan;
    if (this.#ending || (count !== undefined && this.#given >= count)) return undefined;
    if (rate > 0) {
      // One that is paced and does not wait its turn would make a burst of two.
      if (ahead) return 'wait';
      if (this.#given >= this.#released) {
        this.#waiting.push(sender);
        return 'wait';
      }
    }
    return this.#give();
  }

  over(sender: Sender | Intruder): void {
    this.#senders.delete(sender);
    this.tally.open = this.#senders.size;
    const at = this.#waiting.indexOf(sender as Sender);
    if (at !== -1) this.#waiting.splice(at, 1);
    if (this.tally.failures > this.plan.mostErrors) this.end();
    this.#fill();
  }

  /** No more messages; those on their way may end. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    for (const sender of this.#waiting.splice(0)) sender.go(undefined);
    for (const each of this.#senders) if (each instanceof Intruder) each.drop();
    this.#settle();
  }

  /** Whatever is on its way. */
  stop(): void {
    this.#ending = true;
    for (const sender of this.#senders) sender.drop();
    this.#settle();
  }

  #tick(): void {
    const now = performance.now();
    const { plan } = this;
    if (plan.seconds !== undefined && now - this.#began > plan.seconds * 1000) this.end();
    this.#fill();
    for (const each of this.#senders) {
      if (each instanceof Intruder) each.tick(now);
      else if (now - each.heardAt > plan.timeout * 1000 && !this.#waiting.includes(each)) each.drop('timeout');
    }
    if (plan.rate === 0) return;
    // What could not be sent in time is not made up for beyond a second's worth.
    this.#released = Math.max(this.#released, Math.floor(((now - this.#began) * plan.rate) / 1000));
    if (plan.count === undefined) this.#given = Math.max(this.#given, this.#released - Math.ceil(plan.rate));
    while (this.#waiting.length > 0 && this.#given < this.#released) {
      const { count } = plan;
      this.#waiting.shift()?.go(count !== undefined && this.#given >= count ? undefined : this.#give());
    }
  }

  #give(): Letter {
    const made = this.#texts[this.#given % this.#texts.length] as Letter;
    this.#given += 1;
    return { number: this.#first + this.#given, text: made.text, bytes: made.bytes };
  }

  #fill(): void {
    const { count, sessions, hostile, mostErrors, noMail } = this.plan;
    const begun = noMail ? this.#numbers : this.#given;
    const none = this.#ending || (hostile === undefined && count !== undefined && begun >= count);
    if (none) return this.#settle();
    let opening = MOST_OPENING;
    while (this.#senders.size < sessions && opening-- > 0) {
      // A server that is not there is asked again, but not as fast as this machine can.
      if (this.tally.failures > 0 && performance.now() < this.#breatheUntil) return;
      if (this.tally.failures > mostErrors) return this.end();
      if (this.tally.failures > this.#failures) {
        this.#failures = this.tally.failures;
        this.#breatheUntil = performance.now() + BREATH;
        return;
      }
      const number = this.#first + this.#numbers++;
      if (hostile === undefined) this.#senders.add(new Sender(this, number));
      else this.#senders.add(new Intruder(this.plan, this.tally, hostile, number, (gone) => this.over(gone)));
    }
    this.tally.open = this.#senders.size;
  }

  #settle(): void {
    if (this.#senders.size === 0) this.#done();
  }
}

/** The texts of a plan, each as often as its weight says, made once. */
function textsOf({ file, sizes }: Plan): readonly Letter[] {
  if (file !== undefined) {
    const stored = readFileSync(file, 'latin1').replace(/\r\n|\r|\n/g, '\r\n');
    const body = stored === '' || stored.endsWith('\n') ? stored : `${stored}\r\n`;
    const text = Buffer.from(`${`\n${body}`.replaceAll('\n.', '\n..').slice(1)}.\r\n`, 'latin1');
    return [{ number: 0, text, bytes: body.length }];
  }
  const made = sizes.map(({ bytes }) => ({ number: 0, text: textOf(bytes), bytes }));
  // Spread evenly: 1k:2,10k:1 is small, large, small.
  const total = sizes.reduce((sum, { weight }) => sum + weight, 0);
  const spent = sizes.map(() => 0);
  return Array.from({ length: Math.min(total, 10_000) }, () => {
    let most = 0;
    for (const [index, { weight }] of sizes.entries()) {
      spent[index] = (spent[index] ?? 0) + weight;
      if ((spent[index] ?? 0) > (spent[most] ?? 0)) most = index;
    }
    spent[most] = (spent[most] ?? 0) - total;
    return made[most] as Letter;
  });
}

/** What the parent says. */
export type Order =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly first: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'stop' };
/** What it is told. */
export interface Report {
  readonly tally: Tally;
  readonly done: boolean;
}

let worker: Worker | undefined;
let ended = false;
const report = (done: boolean): void => {
  if (worker === undefined || !process.connected) return;
  // The parent may be gone before we hear of it.
  process.send?.({ tally: worker.tally, done } satisfies Report, undefined, undefined, () => undefined);
};
process.on('message', (order: Order) => {
  if (order.kind === 'end') worker?.end();
  else if (order.kind === 'stop') worker?.stop();
  else if (order.kind === 'plan') {
    worker = new Worker(order.plan, order.first, () => {
      if (ended) return;
      ended = true;
      report(true);
    });
    setInterval(() => report(false), REPORT);
  }
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group: the parent decides.
process.on('SIGINT', () => undefined);
