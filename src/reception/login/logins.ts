import {
  type Exchange,
  forcedOutcome,
  type Outcome,
  ServerExchange,
  type StoreAddress,
  serverMechanism,
  TokenExchange,
} from '../../auth/index.ts';
import { endpointText, millis } from '../../base/index.ts';
import { type Reply, reply, type ServerEvent, type ServerWord, serverWord } from '../../smtp/index.ts';
import type { Desk } from '../desk.ts';
import type { Identity } from '../identity.ts';
import { peerText } from '../rejection.ts';
import { goOn, replies } from '../replies.ts';
import { type AuthOffer, inClear } from './auth-offers.ts';
import { storesFor } from './key-stores.ts';

/** Failures in one session: the last of them ends it. */
const MOST_FAILURES = 3;
/** Logins that may be begun in one session: one that is left in the middle costs us work, and is no failure. */
const MOST_BEGUN = 10;
/** For Always_Allow and Always_Deny: nobody is looked up there, and the answer is not heeded. */
const NOBODY: StoreAddress = { scheme: 'named', name: 'nobody', uri: 'nobody://' };

/** What a login needs of its session. */
export interface LoginHost {
  awaits(turn: number): boolean;
  say(turn: number, word: ServerWord): void;
  /** Records the refusal, then says it. */
  refuse(turn: number, said: Reply): void;
}

/** AUTH in one session (RFC 4954): the mechanism, the store, what comes of both. */
export class Logins {
  readonly #desk: Desk;
  readonly #identity: Identity;
  readonly #host: LoginHost;
  #offer: AuthOffer | undefined;
  #exchange: Exchange | undefined;
  /** The server's proof has been sent as a last challenge: an empty answer to it is all that lacks. */
  #proved: string | undefined;
  /** Why the login has failed has been sent as a last challenge. */
  #explained = false;
  #failures = 0;
  #begun = 0;
  #held: Disposable | undefined;

  constructor(desk: Desk, identity: Identity, host: LoginHost) {
    this.#desk = desk;
    this.#identity = identity;
    this.#host = host;
  }

  begin({ turn, mechanism, initial }: Extract<ServerEvent, { kind: 'auth' }>): void {
    this.forget();
    const { settings, client } = this.#identity;
    if (++this.#begun > MOST_BEGUN) return this.#host.refuse(turn, replies.tooManyLogins);
    const offer = settings.auth.find((each) => each.mechanism === mechanism);
    this.#offer = offer;
    if (offer === undefined) return this.#host.refuse(turn, replies.unknownMechanism);
    if (!client.encrypted && !inClear(offer)) return this.#host.refuse(turn, replies.encryptionRequired);
    this.#exchange = this.#exchangeBy(offer);
    if (this.#exchange === undefined) {
      this.#desk.sparing.tell(
        'no parameters',
        'ERROR',
        'auth',
        `SMTP_Extensions lists AUTH ${mechanism}, and no parameters say where its users are: nobody can log in by it`,
      );
      return this.#unavailable(turn, undefined);
    }
    this.#await(turn, this.#exchange.begin(initial));
  }

  /** @returns undefined when nobody says who knows the users */
  #exchangeBy(offer: AuthOffer): Exchange | undefined {
    const { settings, client } = this.#identity;
    const { logins } = this.#desk.parts;
    if (logins === undefined) return undefined;
    const forced = forcedOutcome(settings.view);
    if (offer.kind === 'token') {
      const { mechanism, parameters } = offer;
      if (forced !== undefined) return new TokenExchange(mechanism, async () => ({ kind: 'unavailable' }));
      const { tokens } = logins;
      if (tokens === undefined || parameters === undefined) return undefined;
      return new TokenExchange(mechanism, (token) => tokens.check(parameters, token));
    }
    const store = forced === undefined ? offer.parameters?.store : NOBODY;
    if (store === undefined) return undefined;
    const realm = offer.parameters?.realm ?? settings.hostName;
    const machine = serverMechanism(offer.mechanism, {
      realm,
      service: 'smtp',
      hostName: settings.hostName,
      random: logins.random(18),
    });
    return new ServerExchange(machine, storesFor(store, logins, client.remote.ip), store, realm);
  }

  respond({ turn, bytes }: Extract<ServerEvent, { kind: 'auth-response' }>): void {
    if (this.#explained) {
      this.forget();
      return this.#host.refuse(turn, replies.badCredentials);
    }
    const user = this.#proved;
    if (user !== undefined) {
      this.#proved = undefined;
      if (bytes.length === 0) return this.#granted(turn, user);
      return this.#denied(turn, { kind: 'denied', user, why: 'malformed' });
    }
    if (this.#exchange === undefined) throw new Error('an answer without a challenge');
    this.#await(turn, this.#exchange.respond(bytes));
  }

  /** The login that was begun will not end: cancelled, or the client has gone. */
  forget(): void {
    this.#held?.[Symbol.dispose]();
    this.#held = undefined;
    this.#exchange = undefined;
    this.#proved = undefined;
    this.#explained = false;
  }

  #await(turn: number, coming: Promise<Outcome>): void {
    void coming.then(
      (outcome) => this.#judge(turn, outcome),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#desk.sparing.tell('login failed', 'ERROR', 'auth', `a login failed for a reason of ours: ${why}`);
        if (this.#host.awaits(turn)) this.#unavailable(turn, undefined);
      },
    );
  }

  #judge(turn: number, told: Outcome): void {
    if (!this.#host.awaits(turn)) return;
    const outcome = told.kind === 'challenge' ? told : this.#forced(told);
    switch (outcome.kind) {
      case 'challenge':
        return this.#challenge(turn, outcome.bytes);
      case 'granted':
        if (outcome.bytes === undefined) return this.#granted(turn, outcome.user);
        this.#proved = outcome.user;
        return this.#challenge(turn, outcome.bytes);
      case 'denied':
        return this.#denied(turn, outcome);
    }
  }

  /** `Always_Deny` and `Always_Allow` decide whatever was given (manual page control-auth). */
  #forced(outcome: Exclude<Outcome, { kind: 'challenge' }>): typeof outcome {
    const forced = forcedOutcome(this.#identity.settings.view);
    if (forced === undefined) return outcome;
    if (forced === 'denied') return { kind: 'denied', user: outcome.user, why: 'credentials' };
    return outcome.kind === 'granted' ? outcome : { kind: 'granted', user: outcome.user ?? 'anonymous' };
  }

  #challenge(turn: number, bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('base64');
    this.#host.say(turn, serverWord(reply(334, undefined, text), 'challenge'));
  }

  #granted(turn: number, user: string): void {
    const { client } = this.#identity;
    this.#later(user, () => {
      if (!this.#host.awaits(turn)) return;
      this.#desk.brake.succeeded(user);
      client.authenticated(this.#offer?.mechanism ?? '', nameOf(user));
      this.#account(user, 1);
      this.forget();
      this.#host.say(turn, goOn(replies.authenticated));
    });
  }

  #denied(turn: number, { user, why, bytes }: Extract<Outcome, { kind: 'denied' }>): void {
    if (why === 'unavailable') return this.#unavailable(turn, user);
    const { client } = this.#identity;
    this.#desk.brake.failed(client.remote.ip, user, this.#desk.parts.clock.now());
    this.#failures += 1;
    client.notAuthenticated(this.#offer?.mechanism ?? '', user === undefined ? undefined : nameOf(user), 'fail');
    this.#account(user ?? '', 0);
    const last = this.#failures >= MOST_FAILURES;
    const said = last ? replies.tooManyLogins : why === 'malformed' ? replies.malformedLogin : replies.badCredentials;
    this.#later(user, () => {
      this.forget();
      if (!this.#host.awaits(turn)) return;
      // It has failed, and is counted as that, whether the client hears why to the end or not.
      this.#explained = bytes !== undefined && !last;
      if (bytes !== undefined && !last) this.#challenge(turn, bytes);
      else this.#host.refuse(turn, said);
    });
  }

  #unavailable(turn: number, user: string | undefined): void {
    const name = user === undefined ? undefined : nameOf(user);
    this.#identity.client.notAuthenticated(this.#offer?.mechanism ?? '', name, 'error');
    this.forget();
    this.#host.refuse(turn, replies.loginUnavailable);
  }

  /** Who guesses waits for the answer. */
  #later(user: string | undefined, answer: () => void): void {
    const { clock } = this.#desk.parts;
    const delay = this.#desk.brake.delay(this.#identity.client.remote.ip, user, clock.now());
    if (delay <= 0) return answer();
    this.#held = clock.at(millis(clock.now() + delay), answer);
  }

  #account(user: string, result: 1 | 0): void {
    if (this.#offer?.parameters?.logAuthentication !== true) return;
    const { clock, events, configuration } = this.#desk.parts;
    const { client, endpoint } = this.#identity;
    events.record({
      kind: 'accounting',
      at: clock.date(),
      generation: configuration.current.number,
      type: 'N',
      listener: endpointText(endpoint),
      peer: client.peer.ip === '' ? '' : peerText(client.peer),
      user,
      result,
    });
  }
}

/** For contexts and logs, where bytes stand as Latin-1 characters: a client may call itself anything. */
export function nameOf(user: string): string {
  return Buffer.from(user.slice(0, 255), 'utf8')
    .toString('latin1')
    .replace(/[\0-\x1f\x7f]/g, '?');
}
