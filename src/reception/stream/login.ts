import { authPlainParameters, forcedOutcome, type Outcome, ServerExchange, serverMechanism } from '../../auth/index.ts';
import { millis } from '../../base/index.ts';
import type { View } from '../../config/index.ts';
import { mechanisms } from '../../ecstream/index.ts';
import { type Reply, reply } from '../../smtp/index.ts';
import type { Client } from '../client.ts';
import type { Desk } from '../desk.ts';
import { storesFor } from '../login/key-stores.ts';
import { nameOf } from '../login/logins.ts';
import { replies } from '../replies.ts';

const OTHER_MECHANISM = reply(504, '5.5.4', 'only AUTH PLAIN and API keys are taken');
const NO_GRANT = reply(535, '5.7.8', 'this API key has no grant smtp/inject');
/** An API key as contexts and logs name the mechanism. */
const KEY_MECHANISM = 'API-KEY';

/** Answers an AUTH. @param refusal undefined: the client may go on. Called once, in this turn or a later one */
type Answer = (refusal: Reply | undefined) => void;

interface Asked {
  readonly mechanism: number;
  readonly response: Uint8Array;
}

/**
 * AUTH of an ECStream client: PLAIN by the stores of `AuthPlainParameters`, or an API key that may send. Guessing is made
 * slow as it is for SMTP.
 */
export function streamLogin(desk: Desk, view: View, client: Client, asked: Asked, answer: Answer): void {
  const login = new StreamLogin(desk, client, asked.mechanism === mechanisms.apiKey ? KEY_MECHANISM : 'PLAIN', answer);
  switch (forcedOutcome(view)) {
    case 'granted':
      return login.granted('anonymous');
    case 'denied':
      return login.refused(undefined, 'fail', replies.badCredentials);
  }
  if (asked.mechanism === mechanisms.plain) return plain(desk, view, client, asked.response, login);
  if (asked.mechanism === mechanisms.apiKey) return apiKey(desk, client, asked.response, login);
  login.refused(undefined, 'fail', OTHER_MECHANISM);
}

function plain({ parts, sparing }: Desk, view: View, client: Client, response: Uint8Array, login: StreamLogin): void {
  const { logins } = parts;
  const store = view.get(authPlainParameters)?.store;
  if (logins === undefined || store === undefined) {
    sparing.tell('no parameters', 'ERROR', 'auth', 'ECStream asks for a login, and no AuthPlainParameters hold');
    return login.refused(undefined, 'error', replies.loginUnavailable);
  }
  const machine = serverMechanism('PLAIN', {
    realm: '',
    service: 'ecstream',
    hostName: '',
    random: logins.random(18),
  });
  const judge = (outcome: Outcome): void => {
    if (outcome.kind === 'challenge') return login.refused(undefined, 'fail', replies.malformedLogin);
    if (outcome.kind === 'granted') return login.right(outcome.user);
    if (outcome.why === 'unavailable') return login.refused(outcome.user, 'error', replies.loginUnavailable);
    login.wrong(outcome.user, outcome.why === 'malformed' ? replies.malformedLogin : replies.badCredentials);
  };
  void new ServerExchange(machine, storesFor(store, logins, client.remote.ip), store)
    .begin(response)
    .then(judge, login.failed);
}

function apiKey({ parts }: Desk, client: Client, response: Uint8Array, login: StreamLogin): void {
  const keys = parts.logins?.keys;
  if (keys === undefined) return login.refused(undefined, 'error', replies.loginUnavailable);
  const secret = Buffer.from(response).toString('latin1');
  void keys.find(secret, client.remote.ip).then((found) => {
    if (found === 'unavailable') login.refused(undefined, 'error', replies.loginUnavailable);
    else if (found === undefined) login.wrong(undefined, replies.badCredentials);
    else if (found.maySend) login.right(found.id);
    // Whoever has the key needs not to guess: he is told what it lacks.
    else login.refused(found.id, 'fail', NO_GRANT);
  }, login.failed);
}

/** What comes of one AUTH. */
class StreamLogin {
  readonly #desk: Desk;
  readonly #client: Client;
  readonly #mechanism: string;
  readonly #answer: Answer;

  constructor(desk: Desk, client: Client, mechanism: string, answer: Answer) {
    this.#desk = desk;
    this.#client = client;
    this.#mechanism = mechanism;
    this.#answer = answer;
  }

  /** Looked up, and right. */
  right(user: string): void {
    this.#later(user, () => {
      this.#desk.brake.succeeded(user);
      this.granted(user);
    });
  }

  wrong(user: string | undefined, said: Reply): void {
    this.#desk.brake.failed(this.#client.remote.ip, user, this.#desk.parts.clock.now());
    this.#later(user, () => this.refused(user, 'fail', said));
  }

  granted(user: string): void {
    this.#client.authenticated(this.#mechanism, nameOf(user));
    this.#answer(undefined);
  }

  refused(user: string | undefined, status: 'fail' | 'error', said: Reply): void {
    this.#client.notAuthenticated(this.#mechanism, user === undefined ? undefined : nameOf(user), status);
    this.#answer(said);
  }

  readonly failed = (error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    this.#desk.sparing.tell('login failed', 'ERROR', 'auth', `a login failed for a reason of ours: ${why}`);
    this.refused(undefined, 'error', replies.loginUnavailable);
  };

  /** Who guesses waits for the answer. */
  #later(user: string | undefined, answer: () => void): void {
    const { clock } = this.#desk.parts;
    const delay = this.#desk.brake.delay(this.#client.remote.ip, user, clock.now());
    if (delay <= 0) answer();
    else clock.at(millis(clock.now() + delay), answer);
  }
}
