import { authPlainParameters, forcedOutcome, type Outcome, ServerExchange, serverMechanism } from '../auth/index.ts';
import { millis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import type { Client } from './client.ts';
import type { Desk } from './desk.ts';
import { nameOf } from './logins.ts';
import { replies } from './replies.ts';

/** Of the AUTH frame (spec ecstream: types). */
const PLAIN = 1;
const OTHER_MECHANISM = reply(504, '5.5.4', 'only AUTH PLAIN is taken');

/**
 * AUTH of an ECStream client: PLAIN, by the stores of `AuthPlainParameters`. Guessing is made slow as it is for SMTP.
 *
 * @param answer  undefined: it may go on. Called once, in this turn or a later one
 */
export function streamLogin(
  desk: Desk,
  view: View,
  client: Client,
  asked: { readonly mechanism: number; readonly response: Uint8Array },
  answer: (refusal: Reply | undefined) => void,
): void {
  const granted = (user: string): void => {
    desk.brake.succeeded(user);
    client.authenticated('PLAIN', nameOf(user));
    answer(undefined);
  };
  const refused = (user: string | undefined, status: 'fail' | 'error', said: Reply): void => {
    client.notAuthenticated('PLAIN', user === undefined ? undefined : nameOf(user), status);
    answer(said);
  };
  switch (forcedOutcome(view)) {
    case 'granted':
      return granted('anonymous');
    case 'denied':
      return refused(undefined, 'fail', replies.badCredentials);
  }
  if (asked.mechanism !== PLAIN) return refused(undefined, 'fail', OTHER_MECHANISM);
  const { clock, events, logins } = desk.parts;
  const store = view.get(authPlainParameters)?.store;
  if (logins === undefined || store === undefined) {
    desk.sparing.tell('no parameters', 'ERROR', 'auth', 'ECStream asks for a login, and no AuthPlainParameters hold');
    return refused(undefined, 'error', replies.loginUnavailable);
  }
  const machine = serverMechanism('PLAIN', {
    realm: '',
    service: 'ecstream',
    hostName: '',
    random: logins.random(18),
  });
  const judge = (outcome: Outcome): void => {
    if (outcome.kind === 'challenge') return refused(undefined, 'fail', replies.malformedLogin);
    const { user } = outcome;
    if (outcome.kind === 'denied' && outcome.why === 'unavailable')
      return refused(user, 'error', replies.loginUnavailable);
    if (outcome.kind === 'denied') desk.brake.failed(client.remote.ip, user, clock.now());
    const delay = desk.brake.delay(client.remote.ip, user, clock.now());
    const say = (): void => {
      if (outcome.kind === 'granted') granted(outcome.user);
      else refused(user, 'fail', outcome.why === 'malformed' ? replies.malformedLogin : replies.badCredentials);
    };
    if (delay <= 0) return say();
    clock.at(millis(clock.now() + delay), say);
  };
  void new ServerExchange(machine, logins.stores, store).begin(asked.response).then(judge, (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    events.diagnose('ERROR', 'auth', `a login failed for a reason of ours: ${why}`);
    refused(undefined, 'error', replies.loginUnavailable);
  });
}
