import { type Endpoint, endpointText, type Millis, millis } from '../base/index.ts';
import { type Accepted, EcstreamLost, EcstreamRefused, EcstreamSender } from '../ecstream/index.ts';
import { replyText } from '../smtp/index.ts';
import type { Process, World } from '../world/index.ts';
import { Progress } from './progress.ts';
import type { Door } from './send-door.ts';
import { type Template, testMessage } from './send-message.ts';
import { Durations, printable, summary } from './send-report.ts';

interface Wish {
  readonly at: Endpoint;
  readonly count: number;
  /** Connections at the same time. */
  readonly sessions: number;
  readonly door: Door;
}

/** Messages that wait in one connection: twice a window, so that the server never waits for us. */
const AHEAD = 1024;
/** Milliseconds without a connection after which the rest is given up. */
const PATIENCE = 30_000;

/** `impetus send --ecstream`: the messages of a run over connections that come again when they are lost. */
export class StreamSending {
  readonly #world: World;
  readonly #process: Process;
  readonly #template: Template;
  readonly #wish: Wish;
  readonly #token: string;
  readonly #durations = new Durations();
  readonly #began: Millis;
  #begun = 0;
  #accepted = 0;
  #refused = 0;
  #unknown = 0;
  #trouble: string | undefined;
  #stopped = false;
  readonly #progress: Progress;

  constructor(world: World, process: Process, template: Template, wish: Wish) {
    this.#world = world;
    this.#process = process;
    this.#template = template;
    this.#wish = wish;
    this.#token = Buffer.from(world.chance.bytes(9)).toString('hex');
    this.#began = world.clock.now();
    this.#progress = new Progress(world.clock, process, wish.count, () => this.#done);
  }

  async run(): Promise<number> {
    const { count, sessions } = this.#wish;
    using _interrupt = this.#process.onSignal('SIGINT', () => this.#stop());
    using _terminate = this.#process.onSignal('SIGTERM', () => this.#stop());
    if (count > 1) this.#progress.begin();
    await Promise.all(Array.from({ length: Math.min(count, sessions) }, () => this.#session()));
    return this.#conclude();
  }

  get #done(): number {
    return this.#accepted + this.#refused + this.#unknown;
  }

  #stop(): void {
    this.#stopped = true;
  }

  async #session(): Promise<void> {
    const { at, count, door } = this.#wish;
    const sender = new EcstreamSender(this.#world, {
      at,
      ...door,
      name: 'impetus send',
      hostName: this.#template.hostName,
      patience: count === 1 ? 0 : PATIENCE,
      mostWaiting: AHEAD,
    });
    while (!this.#stopped && this.#begun < count) {
      await sender.room();
      if (this.#stopped || this.#begun >= count) break;
      const message = testMessage(this.#template, ++this.#begun, this.#world.clock.date(), this.#token);
      const began = this.#world.clock.now();
      const { reversePath: from, recipients: to, plain: body } = message;
      sender.send({ from, to, body }).then(
        (accepted) => this.#taken(accepted, to.length, millis(this.#world.clock.now() - began)),
        (why: unknown) => this.#notTaken(why),
      );
    }
    await sender.close();
  }

  #taken({ id, refused }: Accepted, recipients: number, took: Millis): void {
    if (refused.length > 0) this.#refused++;
    else this.#accepted++;
    this.#durations.add(took, this.#world.chance.next());
    if (this.#wish.count > 1) return;
    for (const { recipient, reply } of refused)
      this.#process.say(`<${printable(recipient)}>: ${printable(replyText(reply))}\n`);
    const which = refused.length === 0 ? '' : ` for ${recipients - refused.length} of ${recipients} recipients`;
    this.#process.say(`accepted as ${printable(id)}${which}\n`);
  }

  #notTaken(why: unknown): void {
    if (why instanceof EcstreamRefused) {
      this.#refused++;
      if (this.#wish.count === 1) this.#process.say(`refused: ${printable(replyText(why.reply))}\n`);
      return;
    }
    if (why instanceof EcstreamLost && why.sent) this.#unknown++;
    // The server has sent us away for good, or is not there: the rest would fare no better.
    this.#stopped = true;
    this.#trouble = why instanceof Error ? why.message : String(why);
  }

  #conclude(): number {
    this.#progress.end();
    const { count, at } = this.#wish;
    if (count > 1) {
      this.#process.say(
        summary({
          accepted: this.#accepted,
          refused: this.#refused,
          unknown: this.#unknown,
          unsent: count - this.#done,
          took: this.#world.clock.now() - this.#began,
          durations: this.#durations,
        }),
      );
    }
    if (this.#trouble !== undefined)
      this.#process.complain(`impetus send: ${endpointText(at)}: ${printable(this.#trouble)}\n`);
    return this.#accepted === count ? 0 : 1;
  }
}
