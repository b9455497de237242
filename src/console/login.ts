import { type Outcome, ServerExchange, serverMechanism } from '../auth/index.ts';
import type { Offer } from './admission.ts';
import type { Access } from './house.ts';

/** How often a client may try. */
export const MOST_TRIES = 3;
/** How often it may begin: a conversation that is left in the middle costs us work, and is no failure. */
export const MOST_BEGUN = 10;
/** How long the answer to a login that has failed is held back: guessing takes its time. */
export const FAILURE_MILLIS = 1000;

/** One client that has to log in. */
export class Login {
  readonly #access: Access;
  readonly #hostName: string;
  readonly #offers: readonly Offer[];
  #exchange: ServerExchange | undefined;
  #offer: Offer | undefined;
  #failures = 0;
  #begun = 0;

  constructor(access: Access, hostName: string, offers: readonly Offer[]) {
    this.#access = access;
    this.#hostName = hostName;
    this.#offers = offers;
  }

  get mechanisms(): readonly string[] {
    return this.#offers.map(({ mechanism }) => mechanism);
  }

  /** Whether logins go to the acctlog: of the mechanism that was chosen, or of any before that. */
  get accounted(): boolean {
    return this.#offer === undefined
      ? this.#offers.some(({ parameters }) => parameters.logAuthentication)
      : this.#offer.parameters.logAuthentication;
  }

  get exhausted(): boolean {
    return this.#failures >= MOST_TRIES || this.#begun > MOST_BEGUN;
  }

  /** A mechanism is chosen: its name, then perhaps NUL and an initial response. */
  begin(payload: Buffer): Promise<Outcome> {
    if (++this.#begun > MOST_BEGUN) return this.#counted(Promise.resolve(OUT_OF_PLACE));
    const end = payload.indexOf(0);
    const name = payload.toString('latin1', 0, end === -1 ? payload.length : end);
    this.#offer = this.#offers.find(({ mechanism }) => mechanism === name);
    if (this.#offer === undefined) return this.#counted(Promise.resolve(OUT_OF_PLACE));
    const { mechanism, parameters } = this.#offer;
    const realm = parameters.realm ?? this.#access.realm;
    const machine = serverMechanism(mechanism, {
      realm,
      service: 'console',
      hostName: this.#hostName,
      random: this.#access.random(18),
    });
    this.#exchange = new ServerExchange(machine, this.#access.stores, parameters.store, realm);
    return this.#counted(this.#exchange.begin(end === -1 ? undefined : payload.subarray(end + 1)));
  }

  respond(payload: Buffer): Promise<Outcome> {
    return this.#counted(this.#exchange?.respond(payload) ?? Promise.resolve(OUT_OF_PLACE));
  }

  async #counted(coming: Promise<Outcome>): Promise<Outcome> {
    const outcome = await coming;
    if (outcome.kind === 'denied') this.#failures++;
    // The next try begins with a mechanism again.
    if (outcome.kind !== 'challenge') this.#exchange = undefined;
    return outcome;
  }
}

const OUT_OF_PLACE: Outcome = { kind: 'denied', user: undefined, why: 'malformed' };
