import type { BodyHold } from '../message/index.ts';
import type { Item } from '../queue/index.ts';
import { type Extensions, type Reply, reply } from '../smtp/index.ts';
import type { Spool } from '../spool/index.ts';
import type { Asking } from './asking.ts';
import { asking, NO_SMTPUTF8 } from './asking.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { conversionFor, converted, type Made } from './conversion.ts';
import { send8bitmime } from './options.ts';

export const UNREADABLE = reply(451, '4.3.0', '[internal] message body cannot be read');
const TOO_BIG = reply(552, '5.3.4', '[internal] message size exceeds remote limit');

/** A message that can be sent now: what is asked of the peer, and the body as this peer takes it. */
export interface Prepared {
  readonly asked: Asking;
  readonly made: Made;
}

export interface PreparationHost {
  readonly settings: ConnectionSettings;
  readonly spool: Pick<Spool, 'hold'>;
  /** These have their verdict without a word of the peer. */
  judged(items: readonly Item[], said: Reply): void;
  /** These go back uncharged. */
  givenBack(items: readonly Item[]): void;
  begin(prepared: Prepared): void;
  /** What took its time has come to nothing: there may be something else to send. */
  nothing(): void;
  /** A body that the disk does not give back. */
  unreadable(items: readonly Item[], cause: unknown): void;
  /** Something has happened in a turn of its own. */
  moved(): void;
}

/** From the items of a message to a transaction, for one connection: one message at a time. */
export class Preparation {
  readonly #host: PreparationHost;
  /** What is being converted, and has to wait for the disk. */
  #waiting: { readonly asked: Asking; readonly hold: Disposable } | undefined;

  constructor(host: PreparationHost) {
    this.#host = host;
  }

  get busy(): boolean {
    return this.#waiting !== undefined;
  }

  /** @returns false when nothing comes of it: all have their outcome */
  prepare(all: readonly Item[], extensions: Extensions): boolean {
    const host = this.#host;
    const message = all[0]?.message;
    if (message === undefined) return false;
    const { size, requests } = message.envelope;
    // What is converted changes its size: only the peer knows then.
    if (
      extensions.size !== undefined &&
      extensions.size > 0 &&
      size > extensions.size &&
      requests?.body !== 'BINARYMIME'
    ) {
      host.judged(all, TOO_BIG);
      return false;
    }
    const { view } = host.settings;
    const eightBit = message.traits.eightBit === true && view.get(send8bitmime) === 'ifavailable';
    const asked = asking(all, extensions, eightBit);
    if (asked.refused.length > 0) host.judged(asked.refused, NO_SMTPUTF8);
    if (asked.later.length > 0) host.givenBack(asked.later);
    if (asked.items.length === 0) return false;
    let hold: BodyHold | undefined;
    try {
      hold = host.spool.hold(message.at);
      const conversion = conversionFor(message, extensions, view);
      const plain: Made = { hold, traits: message.traits, size };
      const made = conversion === undefined ? plain : converted(hold, conversion, message.traits);
      if (!(made instanceof Promise)) return this.#done(asked, hold, made);
      this.#await(asked, hold, made);
      return true;
    } catch (cause) {
      hold?.[Symbol.dispose]();
      host.unreadable(asked.items, cause);
      host.judged(asked.items, UNREADABLE);
      return false;
    }
  }

  /** The connection is over. @param why  it costs them an attempt; undefined: they go back uncharged */
  cancel(why?: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    waiting.hold[Symbol.dispose]();
    if (why === undefined) this.#host.givenBack(waiting.asked.items);
    else this.#host.judged(waiting.asked.items, why);
  }

  #await(asked: Asking, hold: Disposable, made: Promise<Made | Reply>): void {
    const waiting = { asked, hold };
    this.#waiting = waiting;
    const end = (result: Made | Reply): void => {
      if (this.#waiting !== waiting) return;
      this.#waiting = undefined;
      if (!this.#done(asked, hold, result)) this.#host.nothing();
      this.#host.moved();
    };
    made.then(end, (cause: unknown) => {
      if (this.#waiting === waiting) this.#host.unreadable(asked.items, cause);
      end(UNREADABLE);
    });
  }

  #done(asked: Asking, hold: Disposable, made: Made | Reply): boolean {
    if ('code' in made) {
      hold[Symbol.dispose]();
      this.#host.judged(asked.items, made);
      return false;
    }
    this.#host.begin({ asked, made });
    return true;
  }
}
